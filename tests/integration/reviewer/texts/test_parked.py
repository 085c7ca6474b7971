"""Avis that a limit or the budget stops stay due; paid attempts stay in the ledger."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.providers.limits import CallLimit
from shared.clock import Clock
from shared.db.tables import unites_legales
from shared.errors import SlowDown
from shared.metrics import Metrics
from tests.integration.reviewer.chat_reviews import RecordingMeter, make_author, provider
from tests.integration.reviewer.chat_server import GOOD, ChatServer, Response, chat_server, text

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

NOTHING_LEFT = SlowDown("nothing is left", retry_after_seconds=1, reason=CallLimit.BUDGET_REACHED)
BAD = GOOD.replace("à {COMMUNE}", "en France")


@pytest.fixture
def meter() -> RecordingMeter:
    return RecordingMeter()


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(lambda _: Response(text())) as server:
        yield server


@pytest.fixture
def reviewer(
    engine: Engine, metrics: Metrics, meter: RecordingMeter, server: ChatServer
) -> Iterator[ShardReviewer]:
    threads = ThreadPoolExecutor(4)
    author = make_author([provider(server.base_url)], meter, metrics)
    yield ShardReviewer(
        engine=engine,
        generators=threads,
        author=author,
        clock=Clock(),
        metrics=metrics,
        lease_seconds=60,
        sole_traders=False,
    )
    threads.shutdown()


def publish(register: "Register") -> None:
    register.execute("UPDATE avis SET published_at = now()")


def test_when_the_budget_is_reached_nothing_fails_and_the_message_comes_again(
    register: "Register", reviewer: ShardReviewer, meter: RecordingMeter
) -> None:
    ids = register.add(range(1, 11))
    publish(register)
    meter.refuses = NOTHING_LEFT
    with pytest.raises(SlowDown) as raised:
        reviewer.work(ids)
    assert raised.value.retry_after_seconds > 0
    rows = register.rows("SELECT * FROM avis")
    assert {row["outcome"] for row in rows} == {"pending"}
    assert all(row["lease_until"] is None and row["attempts"] == 0 for row in rows)
    assert all(row["published_at"] is not None for row in rows), "the relay would send them again"
    assert register.rows("SELECT 1 FROM avis_attempts") == []
    assert register.rows("SELECT 1 FROM failed_items") == []
    meter.refuses = None
    reviewer.work(ids)
    rows = register.rows("SELECT outcome, model FROM avis")
    assert {(row["outcome"], row["model"]) for row in rows} == {("accepted", "local-model")}


def test_an_attempt_that_was_paid_for_is_kept_though_the_avis_waits(
    register: "Register", reviewer: ShardReviewer, meter: RecordingMeter, server: ChatServer
) -> None:
    [avis_id] = register.add(range(1, 2))
    publish(register)

    def respond(_: object) -> Response:
        meter.refuses = NOTHING_LEFT
        return Response(text(BAD))

    server.respond = respond
    with pytest.raises(SlowDown):
        reviewer.work([avis_id])
    [attempt] = register.rows("SELECT * FROM avis_attempts")
    assert not attempt["accepted"]
    assert "city_missing" in attempt["reasons"]
    told = (attempt["provider"], attempt["tokens_in"], attempt["tokens_out"])
    assert told == ("local", 1200, 120)
    assert attempt["cost_eur"] == meter.cost_eur
    row = register.avis(avis_id)
    assert (row["outcome"], row["lease_until"]) == ("pending", None)


def test_a_unit_that_turns_p_meanwhile_leaves_no_attempt(
    register: "Register", reviewer: ShardReviewer, meter: RecordingMeter, server: ChatServer
) -> None:
    [avis_id] = register.add(range(1, 2))

    def respond(_: object) -> Response:
        meter.refuses = NOTHING_LEFT
        register.change(unites_legales, register.siren(1), statut_diffusion="P")
        return Response(text(BAD))

    server.respond = respond
    try:
        reviewer.work([avis_id])
    except SlowDown:
        pytest.fail("nothing is left to wait for")
    assert register.rows("SELECT 1 FROM avis_attempts") == []
    assert register.avis(avis_id)["outcome"] == "skipped_non_diffusible"
