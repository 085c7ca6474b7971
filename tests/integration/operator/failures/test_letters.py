"""Dead letters are shown without their data, replayed with a confirmation, and dropped by id."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import CurrentMessage

from services.operator.failures import letters
from services.writer.dead_letters import DeadLetterArchive
from shared.broker import MemoryBroker, make_broker, ready_messages
from shared.errors import Rejected
from shared.messages import FETCH_QUEUE, WRITE_QUEUE, FetchPage, WriteSlice
from shared.metrics import Metrics
from tests.integration.commands import Sirenade
from tests.integration.conftest import StartWorker, WaitFor
from tests.integration.writer.desk import Desk

_NOBODY = "amqp://nobody:none@127.0.0.1:1/"


@pytest.fixture
def broker(rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dramatiq.Broker]:
    monkeypatch.setenv("SIRENADE_BROKER_URL", rabbitmq_url)
    broker = make_broker(rabbitmq_url)
    yield broker
    broker.close()


def _body(message: FetchPage | WriteSlice, **options: object) -> bytes:
    make_broker(_NOBODY)  # sets the encoder, and connects to nothing
    envelope: dramatiq.Message[Any] = dramatiq.Message(
        message.QUEUE, message.ACTOR, (), message.to_wire(), dict(options)
    )
    return envelope.encode()


def _letter(desk: Desk, body: bytes, queue: str = FETCH_QUEUE) -> int:
    row = desk.one(
        """
        INSERT INTO dead_letters (queue, message_id, actor, reason, body)
        VALUES (:queue, gen_random_uuid(), 'any', 'rejected', :body) RETURNING id
        """,
        queue=queue,
        body=body,
    )
    return int(row["id"])


def _page(number: int = 1) -> bytes:
    return _body(FetchPage(7, number), retries=4, last_error="ConnectionError")


def _replayed(desk: Desk) -> list[int]:
    rows = desk.execute("SELECT id FROM dead_letters WHERE replayed_at IS NOT NULL ORDER BY id")
    return [row["id"] for row in rows]


def test_a_letter_is_opened_without_the_records_that_it_carries(
    sirenade: Sirenade, desk: Desk
) -> None:
    slice_ = WriteSlice(7, 2, 11, 3, "2026-08-05T12:00:00+00:00", '[{"nom": "SECRET"}]')
    letter = _letter(desk, _body(slice_, retries=2, last_error="Rejected"), WRITE_QUEUE)
    shown = json.loads(sirenade("dead-letters", "show", letter, "--json").out)
    assert shown["queue"] == WRITE_QUEUE
    assert (shown["retries"], shown["last_error"]) == (2, "Rejected")
    fields = shown["fields"]
    assert (fields["batch_id"], fields["page"], fields["fetch_id"], fields["slice"]) == (
        7,
        2,
        11,
        3,
    )
    for answer in (json.dumps(shown), sirenade("dead-letters", "show", letter).out):
        assert "SECRET" not in answer
        assert "19 long" in answer


def test_what_a_contract_does_not_promise_is_shown_by_kind_only(
    sirenade: Sirenade, desk: Desk
) -> None:
    body = json.dumps(
        {
            "queue_name": FETCH_QUEUE,
            "actor_name": "fetch_page",
            "args": [],
            "kwargs": {"batch_id": "SECRET", "page": 1, "other": ["SECRET"]},
            "options": {},
            "message_id": "x",
            "message_timestamp": 1,
        }
    )
    letter = _letter(desk, body.encode())
    answer = sirenade("dead-letters", "show", letter, "--json").out
    assert "SECRET" not in answer
    assert json.loads(answer)["fields"]["page"] == 1


@pytest.mark.parametrize(("body", "said"), [(b"\xff", "not a message"), (b"", "erased")])
def test_what_holds_no_message_is_shown_and_never_replayed(
    body: bytes,
    said: str,
    sirenade: Sirenade,
    desk: Desk,
    broker: dramatiq.Broker,
) -> None:
    letter, fine = _letter(desk, body), _letter(desk, _page())
    assert said in sirenade("dead-letters", "show", letter).out
    answer = sirenade("dead-letters", "replay", "--all")
    assert answer.status == 1
    assert said in answer.out
    assert _replayed(desk) == [fine]
    assert ready_messages(broker, FETCH_QUEUE) == 1


def test_a_replayed_message_runs_as_if_for_the_first_time(
    sirenade: Sirenade,
    desk: Desk,
    broker: dramatiq.Broker,
    start_worker: StartWorker,
    wait_for: WaitFor,
) -> None:
    letter = _letter(desk, _page(9))
    assert sirenade("dead-letters", "replay", letter).status == 0
    assert _replayed(desk) == [letter]
    seen: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def fetch_page(**wire: Any) -> None:
        message = CurrentMessage.get_current_message()
        assert message is not None
        seen.append((wire, message.options))

    dramatiq.actor(broker=broker, actor_name=FetchPage.ACTOR, queue_name=FETCH_QUEUE)(fetch_page)
    start_worker(broker)
    wait_for(lambda: seen)
    ((wire, options),) = seen
    assert wire == {"batch_id": 7, "page": 9}
    assert "retries" not in options
    assert "last_error" not in options


def test_a_replayed_message_that_fails_again_is_archived_as_not_replayed(
    sirenade: Sirenade,
    desk: Desk,
    broker: dramatiq.Broker,
    start_worker: StartWorker,
    wait_for: WaitFor,
) -> None:
    def fetch_page(**_wire: Any) -> None:
        raise Rejected("contract")

    dramatiq.actor(broker=broker, actor_name=FetchPage.ACTOR, queue_name=FETCH_QUEUE)(fetch_page)
    start_worker(broker)
    broker.enqueue(dramatiq.Message.decode(_page()))
    archive = DeadLetterArchive(broker, desk.engine, Metrics())

    def archived(condition: str) -> bool:
        archive.step()
        return bool(desk.execute(f"SELECT id FROM dead_letters WHERE {condition}"))

    wait_for(lambda: archived("replayed_at IS NULL"))
    first = desk.one("SELECT id, archived_at FROM dead_letters")
    assert sirenade("dead-letters", "replay", first["id"]).status == 0
    wait_for(lambda: archived("replayed_at IS NULL"))
    second = desk.one("SELECT id, archived_at FROM dead_letters")
    assert second["id"] == first["id"]
    assert second["archived_at"] > first["archived_at"]


class _OnEnqueue(dramatiq.Middleware):
    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def after_enqueue(
        self, _broker: dramatiq.Broker, _message: dramatiq.Message[Any], _delay: int | None
    ) -> None:
        self._act()


def test_a_message_that_comes_back_before_its_replay_is_committed_is_not_lost_from_sight(
    desk: Desk, wait_for: WaitFor
) -> None:
    returned: list[Future[None]] = []

    def come_back() -> None:
        die()
        returned.append(pool.submit(archive.step))
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
        wait_for(lambda: desk.execute(waiting) or returned[0].done())

    def die() -> None:
        dead.append(body)

    body = _page()
    broker = make_broker("memory://", extra_middleware=[_OnEnqueue(come_back)])
    assert isinstance(broker, MemoryBroker)
    broker.declare_queue(FETCH_QUEUE)
    dead = broker.dead_letter_bodies[FETCH_QUEUE]
    archive = DeadLetterArchive(broker, desk.engine, Metrics())
    die()
    archive.step()
    letter = desk.one("SELECT id FROM dead_letters")["id"]
    with ThreadPoolExecutor(1) as pool:
        told = list(letters.replay_each(desk.engine, [letter], lambda: broker, again=False))
    assert told == [(letter, None)]
    returned[0].result(timeout=10)
    assert desk.one("SELECT replayed_at FROM dead_letters") == {"replayed_at": None}


def test_what_was_replayed_is_replayed_again_only_when_that_is_said(
    sirenade: Sirenade, desk: Desk, broker: dramatiq.Broker
) -> None:
    first, second = _letter(desk, _page(1)), _letter(desk, _page(2))
    assert json.loads(sirenade("dead-letters", "replay", first, "--json").out) == {
        "replayed": [first],
        "refused": {},
    }
    answer = sirenade("dead-letters", "replay", first, second)
    assert answer.status == 2
    assert f"replayed already: {first}" in answer.err
    assert _replayed(desk) == [first]
    assert sirenade("dead-letters", "replay", first, "--again").status == 0
    assert sirenade("dead-letters", "replay", "--all").out == f"dead letter {second}: replayed\n"
    assert sirenade("dead-letters", "replay", "--all").out == "no dead letters to replay\n"
    assert ready_messages(broker, FETCH_QUEUE) == 3


def test_a_broker_that_is_away_leaves_the_letter_to_be_replayed(
    sirenade: Sirenade, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = _letter(desk, _page())
    for url, said in [
        (_NOBODY, "the broker does not answer"),
        ("memory://", "another process cannot publish"),
        (None, "SIRENADE_BROKER_URL"),
    ]:
        monkeypatch.delenv("SIRENADE_BROKER_URL", raising=False)
        if url is not None:
            monkeypatch.setenv("SIRENADE_BROKER_URL", url)
        answer = sirenade("dead-letters", "replay", letter)
        assert answer.status == 2
        assert said in answer.err
    assert _replayed(desk) == []


def test_letters_are_dropped_all_or_none(sirenade: Sirenade, desk: Desk) -> None:
    first, second, third = (_letter(desk, _page(number)) for number in range(3))
    answer = sirenade("dead-letters", "drop", first, 99)
    assert answer.status == 2
    assert "no such dead letter: 99" in answer.err
    assert desk.number("dead_letters") == 3
    assert sirenade("dead-letters", "drop", first, third).out == "2 dead letters dropped\n"
    listed = json.loads(sirenade("dead-letters", "list", "--json").out)
    assert [letter["id"] for letter in listed] == [second]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "99"], "no such dead letter: 99"),
        (["replay", "99"], "no such dead letter: 99"),
        (["replay"], "give ids"),
        (["replay", "1", "--all"], "give ids"),
        (["replay", "--all", "--again"], "--again needs ids"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_status_2(
    sirenade: Sirenade, arguments: list[str], said: str
) -> None:
    answer = sirenade("dead-letters", *arguments)
    assert answer.status == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
