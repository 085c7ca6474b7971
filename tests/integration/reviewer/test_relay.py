"""The relay between pending rows and the queue, on a real database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import TextClause, text

from services.reviewer.relay import (
    FIRST_TEXTS,
    IN_FLIGHT,
    RENEWALS,
    STALLED,
    Relay,
    forget_publications,
)
from shared.clock import Clock
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from tests.integration.conftest import WaitFor

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register

MakeRelay = Callable[..., Relay]


class Outbox:
    """Collects what is published; `refuse_from` makes the broker refuse from that message on."""

    def __init__(self) -> None:
        self.messages: list[list[int]] = []
        self.refuse_from: int | None = None

    def __call__(self, message: ReviewAvis) -> None:
        if self.refuse_from is not None and len(self.messages) >= self.refuse_from:
            raise ConnectionError
        self.messages.append(message.avis_ids)

    @property
    def ids(self) -> list[int]:
        return [avis_id for message in self.messages for avis_id in message]


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def make_relay(register: "Register", clock: Clock, metrics: Metrics) -> MakeRelay:
    def make(publish: Callable[[ReviewAvis], None], **settings: Any) -> Relay:
        settings = {"high_water": 1000, "stall_seconds": 900, **settings}
        return Relay(
            engine=register.engine, publish=publish, clock=clock, metrics=metrics, **settings
        )

    return make


def test_due_avis_leave_once_oldest_first_in_small_messages(
    register: "Register", outbox: Outbox, make_relay: MakeRelay, metrics: Metrics
) -> None:
    ids = register.add(range(1, 61))
    register.execute("UPDATE avis SET outcome = 'accepted' WHERE id = :id", id=ids[0])
    relay = make_relay(outbox)
    relay.step()
    assert [len(message) for message in outbox.messages] == [25, 25, 9]
    assert outbox.ids == ids[1:]
    relay.step()
    assert len(outbox.messages) == 3
    assert metrics.registry.get_sample_value("sirenade_avis_published_total") == 59


def test_the_high_water_mark_holds_and_gives_way_as_avis_are_finished(
    register: "Register", outbox: Outbox, make_relay: MakeRelay, desk: "Desk"
) -> None:
    ids = register.add(range(1, 91))
    relay = make_relay(outbox, high_water=50)
    relay.step()
    relay.step()
    assert outbox.ids == ids[:50]
    desk.store(*desk.claim(ids[:30]))
    relay.step()
    assert outbox.ids == ids[:75]


def test_a_mark_that_was_lowered_is_waited_for(
    register: "Register", outbox: Outbox, make_relay: MakeRelay
) -> None:
    register.add(range(1, 91))
    before = make_relay(outbox, high_water=75)
    before.step()
    before.end()
    make_relay(outbox, high_water=50).step()
    assert [len(message) for message in outbox.messages] == [25, 25, 25]


def test_while_more_is_due_than_there_is_room_for_messages_are_full(
    register: "Register", outbox: Outbox, make_relay: MakeRelay, desk: "Desk"
) -> None:
    """One message for each text that is done would leave a queue of messages of one avis."""
    ids = register.add(range(1, 91))
    relay = make_relay(outbox, high_water=50)
    relay.step()
    for done in range(0, 80, 4):
        desk.store(*desk.claim(ids[done : done + 4]))
        relay.step()
    assert [len(message) for message in outbox.messages] == [25, 25, 25, 15]
    assert outbox.ids == ids


def test_a_relay_killed_between_publishing_and_marking_loses_nothing(
    register: "Register", outbox: Outbox, make_relay: MakeRelay, wait_for: WaitFor
) -> None:
    ids = register.add(range(1, 51))

    class Killed(BaseException):
        pass

    def die_after_publishing(message: ReviewAvis) -> None:
        outbox(message)
        raise Killed

    with pytest.raises(Killed):
        make_relay(die_after_publishing, lease_seconds=0.5).step()
    assert outbox.messages == [ids[:25]]
    relay = make_relay(outbox, lease_seconds=0.5)

    def is_relieved() -> bool:
        relay.step()
        return len(outbox.messages) > 1

    wait_for(is_relieved)
    assert outbox.messages == [ids[:25], ids[:25], ids[25:]]


def test_what_the_broker_refuses_stays_due(
    register: "Register", outbox: Outbox, make_relay: MakeRelay
) -> None:
    ids = register.add(range(1, 76))
    outbox.refuse_from = 1
    relay = make_relay(outbox)
    with pytest.raises(ConnectionError):
        relay.step()
    outbox.refuse_from = None
    relay.step()
    assert outbox.ids == ids


def test_only_one_relay_works_at_a_time(
    register: "Register", outbox: Outbox, make_relay: MakeRelay
) -> None:
    ids = register.add(range(1, 26))
    publishing, go_on = threading.Event(), threading.Event()

    def publish_slowly(message: ReviewAvis) -> None:
        publishing.set()
        assert go_on.wait(30)
        outbox(message)

    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(make_relay(publish_slowly).step)
        assert publishing.wait(30)
        make_relay(outbox).step()
        assert outbox.messages == []
        go_on.set()
        slow.result()
    assert outbox.ids == ids


def test_two_relays_never_exceed_the_high_water_mark(
    register: "Register", make_relay: MakeRelay, desk: "Desk"
) -> None:
    ids = register.add(range(1, 201))
    high_water = 50
    seen: list[int] = []
    stop = threading.Event()
    box = Outbox()

    def watch() -> None:
        with register.engine.connect() as connection:
            while not stop.is_set():
                seen.append(connection.execute(IN_FLIGHT).scalar_one())
                connection.rollback()

    def relay_on() -> None:
        relay = make_relay(box, high_water=high_water)
        while not stop.is_set():
            relay.step()
            relay.end()

    with ThreadPoolExecutor() as threads:
        running = [threads.submit(watch), *(threads.submit(relay_on) for _ in range(2))]
        done = 0
        try:
            while done < len(ids):
                assert all(not future.done() for future in running)
                published = register.rows(
                    "SELECT id FROM avis WHERE outcome = 'pending' AND published_at IS NOT NULL"
                )
                done += len(desk.store(*desk.claim([row["id"] for row in published[:15]])))
        finally:
            stop.set()
        for future in running:
            future.result()
    assert max(seen) == high_water
    assert sorted(set(box.ids)) == ids


def test_a_message_that_nobody_took_is_sent_again_after_the_stall_time(
    register: "Register", outbox: Outbox, make_relay: MakeRelay, metrics: Metrics
) -> None:
    """It is counted, but for an avis that a reviewer had and gave back."""
    ids = register.add(range(1, 4))
    relay = make_relay(outbox)
    relay.step()
    register.execute(
        "UPDATE avis SET updated_at = now() - interval '1 h' WHERE id = :id", id=ids[0]
    )
    register.execute(
        "UPDATE avis SET published_at = now() - interval '901 s' WHERE id <> :id", id=ids[1]
    )
    for _ in range(2):
        relay.step()
    assert outbox.messages == [ids, [ids[0], ids[2]]]
    assert metrics.registry.get_sample_value("sirenade_avis_unclaimed_total") == 1


def test_the_avis_of_a_dead_reviewer_are_sent_again_when_the_lease_ends(
    register: "Register", outbox: Outbox, make_relay: MakeRelay, desk: "Desk"
) -> None:
    ids = register.add(range(1, 4))
    relay = make_relay(outbox)
    relay.step()
    desk.claim(ids[:2], lease_seconds=0)
    desk.claim(ids[2:])
    for _ in range(2):
        relay.step()
    assert outbox.messages == [ids, ids[:2]]


def test_a_row_given_back_while_its_message_is_published_is_not_marked(
    register: "Register", outbox: Outbox, make_relay: MakeRelay
) -> None:
    ids = register.add(range(1, 3))

    def publish(message: ReviewAvis) -> None:
        outbox(message)
        if len(outbox.messages) == 1:
            register.execute(
                "UPDATE avis SET updated_at = clock_timestamp() WHERE id = :id", id=ids[0]
            )

    relay = make_relay(publish)
    relay.step()
    relay.step()
    assert outbox.messages == [ids, ids[:1]]


def test_a_process_alone_with_its_broker_begins_anew(
    register: "Register", outbox: Outbox, make_relay: MakeRelay, desk: "Desk"
) -> None:
    ids = register.add(range(1, 4))
    desk.store(*desk.claim(ids[:1]))
    make_relay(Outbox()).step()
    desk.claim(ids[1:2], lease_seconds=600)
    forget_publications(register.engine)
    make_relay(outbox).step()
    assert outbox.ids == ids[1:]
    assert len(desk.claim(ids)) == 2


def test_a_stopping_process_publishes_no_more(
    register: "Register", outbox: Outbox, make_relay: MakeRelay, clock: Clock
) -> None:
    register.add(range(1, 4))
    clock.stopping.set()
    make_relay(outbox).step()
    assert outbox.messages == []


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        (FIRST_TEXTS, {"room": 100}),
        (RENEWALS, {"room": 100}),
        (STALLED, {"room": 100, "stall_seconds": 900}),
        (IN_FLIGHT, {}),
    ],
    ids=["first texts", "renewals", "stalled", "in flight"],
)
def test_the_hot_queries_read_the_index_of_pending_avis_and_sort_nothing(
    register: "Register", query: TextClause, parameters: dict[str, float]
) -> None:
    register.execute("""
        INSERT INTO avis (pro_localisation_id, siret, siren, kind, outcome, facts_hash,
                          published_at, renewal_rank)
        SELECT n, n::text, n::text, 'notice',
               CASE WHEN n % 20 = 0 THEN 'pending' ELSE 'accepted' END, '',
               CASE WHEN n % 100 = 0 THEN now() END,
               CASE WHEN n % 40 = 0 THEN n % 288 END
        FROM generate_series(1, 50000) AS n
    """)
    with register.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text("VACUUM ANALYZE avis")
        )
        plan = connection.execute(text(f"EXPLAIN (FORMAT JSON) {query.text}"), parameters).scalar()
    assert plan is not None
    nodes = list(_nodes(plan[0]["Plan"]))
    assert {node.get("Index Name") for node in nodes} - {None} == {"ix_avis_pending"}
    assert {node["Node Type"] for node in nodes} <= {
        "Limit",
        "Aggregate",
        "Index Scan",
        "Index Only Scan",
    }


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in _nodes(child))]
