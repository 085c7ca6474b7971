"""Dead letters: shown without their data, replayed at the broker, dropped after a question."""

from collections.abc import Iterator

import dramatiq
import pytest
from sqlalchemy import Engine, text

from services.operator.console import accounts
from shared.broker import make_broker, ready_messages
from shared.messages import FETCH_QUEUE, FetchPage
from tests.consoles import Visitor, running_console
from tests.integration.conftest import WaitFor
from tests.integration.operator.console.conftest import LogIn
from tests.role_logins import RoleLogins


@pytest.fixture
def broker(rabbitmq_url: str) -> Iterator[dramatiq.Broker]:
    broker = make_broker(rabbitmq_url)
    broker.declare_queue(FETCH_QUEUE)
    yield broker
    broker.close()


@pytest.fixture
def visitor(
    engine: Engine, role_logins: RoleLogins, rabbitmq_url: str, broker: dramatiq.Broker
) -> Iterator[Visitor]:
    del broker
    with engine.begin() as connection:
        password = accounts.put_account(connection, "eva", "operator")
    with running_console(role_logins.url("console"), broker_url=rabbitmq_url) as console:
        visitor = console.visitor()
        visitor.log_in("eva", password)
        yield visitor


def _letters(engine: Engine, number: int, body: bytes | None = None) -> None:
    page = FetchPage(7, 1)
    message: dramatiq.Message[object] = dramatiq.Message(
        page.QUEUE, page.ACTOR, (), page.to_wire(), {}
    )
    with engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO dead_letters (queue, message_id, actor, reason, body)
                SELECT :queue, gen_random_uuid(), 'fetch_page', 'rejected', :body
                FROM generate_series(1, :number)
            """),
            {"queue": FETCH_QUEUE, "body": body or message.encode(), "number": number},
        )


def _count(engine: Engine, where: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM dead_letters WHERE {where}")))


def test_letters_are_replayed_at_once(
    visitor: Visitor, engine: Engine, broker: dramatiq.Broker, wait_for: WaitFor
) -> None:
    before = ready_messages(broker, FETCH_QUEUE)
    _letters(engine, 30)
    assert "Rejouer les 30 qui attendent" in visitor.get("/lettres").words
    answer = visitor.post("/lettres/rejouer")
    assert "30 messages republiés" in answer.words
    assert _count(engine, "replayed_at IS NOT NULL") == 30
    wait_for(lambda: ready_messages(broker, FETCH_QUEUE) == before + 30)
    assert "replayed 30 of 30" in visitor.get("/journal").words
    assert visitor.post("/lettres/rejouer").status == 409


def test_a_chosen_letter_is_replayed_and_a_spoiled_one_is_refused(
    visitor: Visitor, engine: Engine
) -> None:
    _letters(engine, 1)
    _letters(engine, 1, body=b"{no message")
    visitor.get("/lettres")
    answer = visitor.post("/lettres/rejouer", [("lettre", "1"), ("lettre", "2")])
    assert "1 messages republiés ; refusés : 1 × not a message" in answer.words
    again = visitor.post("/lettres/rejouer", {"lettre": "1"})
    assert (again.status, "replayed already" in again.words) == (409, True)


def test_letters_are_dropped_after_a_question(log_in: LogIn, engine: Engine) -> None:
    visitor = log_in("operator")
    _letters(engine, 3)
    visitor.get("/lettres")
    chosen = [("lettre", "1"), ("lettre", "3")]
    question = visitor.post("/lettres/supprimer", chosen)
    assert "Supprimer ces 2 messages pour toujours ?" in question.words
    assert _count(engine, "true") == 3
    answer = visitor.post("/lettres/supprimer", [*chosen, ("confirme", "oui")])
    assert "2 messages supprimés" in answer.words
    assert _count(engine, "true") == 1
    assert visitor.post("/lettres/supprimer").status == 400


def test_the_demo_has_no_broker_and_says_so(log_in: LogIn, engine: Engine) -> None:
    visitor = log_in("operator")
    _letters(engine, 1)
    visitor.get("/lettres")
    answer = visitor.post("/lettres/rejouer")
    assert (answer.status, "memory:// broker" in answer.words) == (409, True)
    assert _count(engine, "replayed_at IS NOT NULL") == 0


def test_a_letter_shows_no_records(log_in: LogIn, engine: Engine) -> None:
    visitor = log_in("reader")
    _letters(engine, 1)
    shown = visitor.get("/lettres/1")
    assert "page_number" in shown.words or "batch_id" in shown.words
    assert visitor.get("/lettres/99").status == 404
