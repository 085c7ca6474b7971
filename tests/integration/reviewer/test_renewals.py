"""Renewals: due avis whose accepted text stands, and the order and rate in which they begin."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import floor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.commands.due import mark_due
from services.reviewer.money.renewal_rate import set_renewals_per_day, take_renewals
from services.reviewer.relay import Relay
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.tables import etablissements, unites_legales
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from tests.integration.reviewer.conftest import Register

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk

PER_SECOND = 86_460
"""Renewals a day that make one a second: the rate keeps a minute of the day back."""

Relaying = Callable[..., list[int]]
Renewals = Callable[[Register, range], list[int]]


@pytest.fixture
def renewals_of(desk: "Desk") -> Renewals:
    """Add establishments whose accepted texts have to be written again."""

    def renewals(register: Register, numbers: range) -> list[int]:
        ids = register.add(numbers, apart=True)
        desk.engine = register.engine
        desk.store(*desk.claim(ids))
        mark_due([register.engine], "another")
        return ids

    return renewals


@pytest.fixture
def sent(metrics: Metrics) -> Relaying:
    """Let a relay do one step, and return what it sent."""

    def step(
        *engines: Engine,
        high_water: int = 1000,
        publish: Callable[[ReviewAvis], None] = lambda _: None,
    ) -> list[int]:
        found: list[int] = []

        def note(message: ReviewAvis) -> None:
            publish(message)
            found.extend(message.avis_ids)

        relay = Relay(
            engine=engines[0],
            shards=engines,
            publish=note,
            clock=Clock(),
            metrics=metrics,
            high_water=high_water,
            stall_seconds=900,
        )
        try:
            relay.step()
        finally:
            relay.end()
        return found

    return step


def allow(register: Register, per_day: int | None) -> None:
    with register.engine.begin() as connection:
        set_renewals_per_day(connection, per_day)


def begin(register: Register, per_day: int) -> None:
    """Set a rate whose next slot is free now."""
    register.execute("UPDATE review_budget SET renewals_arrival_at = clock_timestamp()")
    allow(register, per_day)


def pass_seconds(register: Register, seconds: float) -> None:
    """Let time pass for the rate: what it remembers is longer ago."""
    register.execute(
        "UPDATE review_budget SET"
        " renewals_arrival_at = renewals_arrival_at - make_interval(secs => :seconds)",
        seconds=seconds,
    )


def take(register: Register, wanted: int) -> int:
    with register.engine.begin() as connection:
        return take_renewals(connection, wanted)


def test_first_texts_go_before_renewals(
    register: Register, renewals_of: Renewals, sent: Relaying
) -> None:
    renewals = renewals_of(register, range(1, 31))
    first = register.add(range(31, 91))
    engine = register.engine
    # Two messages are full; the room for ten more is kept for the ten first texts that are left.
    assert sent(engine, high_water=60) == first[:50]
    assert sent(engine, high_water=60) == first[50:]
    register.execute("UPDATE avis SET outcome = 'cancelled' WHERE published_at IS NOT NULL")
    assert sorted(sent(engine)) == renewals


def test_the_largest_are_renewed_first_and_equals_in_the_order_of_their_ids(
    register: Register, sent: Relaying
) -> None:
    register.add(range(1, 10), apart=True)
    sizes = {1: (None, None), 2: ("NN", "53"), 3: ("11", None), 4: ("53", "NN"), 5: ("11", "12")}
    sizes |= {6: ("??", None), 7: (None, "01"), 8: ("00", None), 9: ("11", "12")}
    for number, (place, unit) in sizes.items():
        siren = register.siren(number)
        register.change(etablissements, siren, tranche_effectifs=place)
        register.change(unites_legales, siren, tranche_effectifs=unit)
    register.execute("UPDATE avis SET outcome = 'accepted', text = 'Un texte.'")
    mark_due([register.engine], "another")
    numbers = {row["id"]: int(row["siren"]) for row in register.rows("SELECT id, siren FROM avis")}
    order = [numbers[avis_id] for avis_id in sent(register.engine)]
    assert order == [4, 5, 9, 3, 8, 2, 7, 1, 6]


@pytest.mark.parametrize("shard_urls", [2], indirect=True)
def test_the_largest_of_all_shards_are_renewed_first(
    register: Register,
    renewals_of: Renewals,
    sent: Relaying,
    shard_urls: tuple[str, ...],
) -> None:
    second = Register(make_engine(shard_urls[1], application_name="test"))
    renewals_of(register, range(1, 5))
    large = renewals_of(second, range(5, 7))
    second.execute("UPDATE avis SET renewal_rank = 0")
    begin(register, PER_SECOND)
    pass_seconds(register, 1.2)
    assert sent(register.engine, second.engine) == large
    second.engine.dispose()


def test_renewals_begin_at_even_distances_over_the_day(
    register: Register, renewals_of: Renewals, sent: Relaying
) -> None:
    renewals_of(register, range(1, 61))
    begin(register, PER_SECOND)
    pass_seconds(register, 9.5)
    assert len(sent(register.engine)) == 10
    assert sent(register.engine) == []
    pass_seconds(register, 2)
    assert len(sent(register.engine)) == 2


@pytest.mark.parametrize("per_day", [1, 2, 100, 86_460, 5_000_000])
def test_no_day_has_more_renewals_than_were_allowed(register: Register, per_day: int) -> None:
    """Nobody asks for an hour, then it is asked for without end, and at last the day is over."""
    begin(register, per_day)
    pass_seconds(register, 3600)
    first = take(register, per_day * 2)
    assert first == 1 + per_day * 60 // 86_460
    [row] = register.rows(
        "SELECT extract(epoch FROM renewals_arrival_at - clock_timestamp())::float AS ahead"
        " FROM review_budget"
    )
    # The slots of the rest of the day, up to its last second.
    distance = 86_460 / per_day
    rest = floor((86_399 - row["ahead"]) / distance) + 1
    assert per_day * 0.9999 - 1 < first + rest <= per_day


def test_zero_holds_renewals_and_none_lets_all_go(
    register: Register, renewals_of: Renewals, sent: Relaying
) -> None:
    renewals = renewals_of(register, range(1, 31))
    [first] = register.add(range(31, 32))
    allow(register, 0)
    pass_seconds(register, 3600)
    assert sent(register.engine) == [first]
    assert sent(register.engine) == []
    allow(register, None)
    assert sorted(sent(register.engine)) == renewals


def test_another_rate_counts_at_once_and_the_same_one_again_opens_nothing(
    register: Register,
) -> None:
    begin(register, 1)
    assert take(register, 5) == 1
    for _ in range(3):
        allow(register, 1)
        assert take(register, 5) == 0
    allow(register, PER_SECOND)
    assert take(register, 5) == 0
    pass_seconds(register, 1)
    assert take(register, 5) == 1


def test_a_clock_that_was_ahead_is_forgotten(register: Register) -> None:
    allow(register, PER_SECOND)
    register.execute("UPDATE review_budget SET renewals_arrival_at = now() + interval '1 year'")
    assert take(register, 1) == 0
    pass_seconds(register, 1)
    assert take(register, 1) == 1


def test_two_relays_never_exceed_the_rate_and_send_each_renewal_once(
    register: Register, renewals_of: Renewals, sent: Relaying
) -> None:
    renewals_of(register, range(1, 101))
    begin(register, PER_SECOND)
    pass_seconds(register, 39.5)
    with ThreadPoolExecutor(2) as threads:
        rounds = [threads.submit(sent, register.engine) for _ in range(20)]
    found = [avis_id for each in rounds for avis_id in each.result()]
    assert len(found) == len(set(found))
    assert 40 <= len(found) <= 45


def test_callers_of_several_processes_share_the_slots(register: Register) -> None:
    begin(register, PER_SECOND)
    pass_seconds(register, 29.5)
    with ThreadPoolExecutor(4) as threads:
        taken = sum(threads.map(lambda _: take(register, 1), range(60)))
    assert 30 <= taken <= 35


def test_a_relay_killed_between_slot_and_mark_loses_the_slot_and_never_the_renewal(
    register: Register, renewals_of: Renewals, sent: Relaying
) -> None:
    renewals = renewals_of(register, range(1, 3))
    begin(register, PER_SECOND)
    pass_seconds(register, 0.5)

    class Killed(BaseException):
        pass

    def die(_: ReviewAvis) -> None:
        raise Killed

    with pytest.raises(Killed):
        sent(register.engine, publish=die)
    assert sent(register.engine) == []
    pass_seconds(register, 1)
    assert sent(register.engine) == renewals[:1]
    pass_seconds(register, 1)
    assert sent(register.engine) == renewals[1:]


def test_a_lost_message_of_a_renewal_is_sent_again_without_a_slot(
    register: Register, renewals_of: Renewals, sent: Relaying
) -> None:
    renewals = renewals_of(register, range(1, 4))
    assert sent(register.engine) == renewals
    allow(register, 0)
    register.execute("UPDATE avis SET published_at = now() - interval '1 hour'")
    assert sent(register.engine) == renewals


def test_a_sample_takes_renewals_at_any_rate(
    register: Register, renewals_of: Renewals, sent: Relaying
) -> None:
    renewals = renewals_of(register, range(1, 4))
    allow(register, 0)
    register.execute(f"UPDATE review_budget SET sample_ids = ARRAY[{renewals[1]}]")
    assert sent(register.engine) == [renewals[1]]
