"""Slots of jobs in French time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.operator.jobs.schedule import Schedule, daily_at
from services.operator.jobs.scheduler import BACKOFF_SECONDS
from services.operator.settings import OperatorSettings
from shared.backoff import stepped
from shared.errors import UserError
from shared.settings import load

PARIS = ZoneInfo("Europe/Paris")


def paris(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "latest", "following"),
    [
        ("2026-11-23 07:44:59", "2026-11-22 07:45", "2026-11-23 07:45"),
        ("2026-11-23 07:45:00", "2026-11-23 07:45", "2026-11-24 07:45"),
        ("2026-11-23 23:59:59", "2026-11-23 07:45", "2026-11-24 07:45"),
        # The night between summer and winter is 25 hours long.
        ("2026-10-25 07:45:00", "2026-10-25 07:45", "2026-10-26 07:45"),
        ("2026-10-25 07:00:00", "2026-10-24 07:45", "2026-10-25 07:45"),
    ],
)
def test_a_daily_slot_is_due_from_its_minute_on(now: str, latest: str, following: str) -> None:
    schedule = daily_at("07:45")
    assert schedule.latest(paris(now)) == paris(latest)
    assert schedule.next(paris(now)) == paris(following)


def test_an_hour_that_the_clock_skips_has_its_slot_right_after_the_gap() -> None:
    schedule = daily_at("02:30")
    assert schedule.latest(paris("2026-03-29 01:59:59")) == paris("2026-03-28 02:30")
    assert schedule.latest(paris("2026-03-29 03:10")) == paris("2026-03-29 03:00")
    assert schedule.next(paris("2026-03-29 01:00")) == paris("2026-03-29 03:00")


@pytest.mark.parametrize("time_of_day", ["02:30", "02:00", "03:00", "00:00", "23:59"])
@pytest.mark.parametrize("day", ["2026-03-28 12:00", "2026-10-24 12:00"])
def test_each_day_has_one_slot_also_when_the_clocks_change(time_of_day: str, day: str) -> None:
    """A loop looks every few minutes for two days."""
    schedule, start = daily_at(time_of_day), paris(day)
    looks = [start + timedelta(minutes=7 * turn) for turn in range(2 * 24 * 60 // 7 + 10)]
    due = [slot for slot in map(schedule.latest, looks) if slot > start]
    assert len(set(due)) == 2
    assert all(slot <= look for slot, look in zip(map(schedule.latest, looks), looks, strict=True))


def test_quarters_of_an_hour_go_on_through_the_repeated_hour() -> None:
    schedule = Schedule("*/15 * * * *")
    slots = {
        schedule.latest(paris("2026-10-25 02:00") + timedelta(minutes=minute))
        for minute in range(120)
    }
    assert len(slots) == 8


def test_a_slot_that_fails_is_tried_again_ever_later() -> None:
    assert [stepped(BACKOFF_SECONDS, failures) for failures in (0, 1, 2, 3, 98)] == [
        60,
        300,
        900,
        3600,
        3600,
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DELTA_AT", "25:00", "SIRENADE_DELTA_AT: Value error, is no time of day"),
        ("DELTA_AT", "7h45", "use 00:00 to 23:59, like 07:45"),
        ("DELTA_AT", "7:45", "is no time of day"),
        ("PURGE_AT", "", "SIRENADE_PURGE_AT: Value error, is no time of day"),
        ("DELTA_WAIT_MINUTES", "-5", "SIRENADE_DELTA_WAIT_MINUTES"),
    ],
)
def test_an_absurd_hour_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", "postgresql://nobody@nowhere/none")
    monkeypatch.setenv("SIRENADE_BROKER_URL", "amqp://nobody:secret@nowhere/")
    monkeypatch.setenv(f"SIRENADE_{name}", value)
    with pytest.raises(UserError) as error:
        load(OperatorSettings)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 2
