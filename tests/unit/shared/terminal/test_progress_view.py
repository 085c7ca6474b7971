import datetime as dt
from dataclasses import replace

import pytest
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from shared.clock import Clock
from shared.imports.progress import Progress
from shared.terminal.progress_view import ProgressView, one_line, watch_progress
from tests.sqlstates import error_with

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOTHING_YET = Progress(
    at=NOW,
    started_at=NOW,
    runs_open=1,
    error=None,
    pending=0,
    running=0,
    complete=0,
    batches_failed=0,
    expected=None,
    received=0,
    inserted=0,
    updated=0,
    unchanged=0,
    failed_rows=0,
    missing=0,
    requests=0,
    requests_last_minute=0,
    http_429=0,
    first_slot_at=None,
    last_slot_at=None,
    quota_per_minute=None,
    failed_items=0,
    avis={},
)
A_DAY_LATER = replace(
    NOTHING_YET,
    at=NOW + dt.timedelta(seconds=1),
    running=4,
    complete=1234,
    batches_failed=2,
    expected=43_900_000,
    received=12_345_678,
    requests=43_900,
    requests_last_minute=30,
    http_429=12,
    quota_per_minute=30,
    failed_items=1234,
    avis={"pending": 9_876_543, "accepted": 1_234_567},
    # The clock of `at` says 22:30 of the day before.
    treated_until=dt.datetime(2025, 9, 12, 0, 30),  # noqa: DTZ001  as INSEE's own
)


def drawn(*readings: Progress) -> list[str]:
    view = ProgressView("Sirenade", width=78)
    console = Console(width=80, height=24, force_terminal=True, color_system=None)
    for reading in readings:
        with console.capture() as capture:
            console.print(view.draw(reading))
    return capture.get().splitlines()


@pytest.mark.parametrize("reading", [NOTHING_YET, A_DAY_LATER], ids=["first", "large"])
def test_a_reading_is_seven_lines_on_a_terminal_of_80_columns(reading: Progress) -> None:
    lines = drawn(NOTHING_YET, reading)
    assert len(lines) == 7, "\n".join(lines)
    assert {len(line) for line in lines} == {78}
    assert all("…" not in line for line in lines)


def test_the_numbers_are_readable() -> None:
    text = "\n".join(drawn(NOTHING_YET, A_DAY_LATER)).replace("\N{NO-BREAK SPACE}", " ")
    assert "12 345 678 / 43 900 000" in text
    assert "requests 30 of 30 in the last 60 s · 43 900 in all · 429: 12" in text
    assert "batches 1 234 of 1 240 · batches failed: 2 · failed items: 1 234" in text


def test_how_fresh_the_register_is_goes_by_the_time_of_paris() -> None:
    age = dt.timedelta(days=111, hours=1, minutes=30, seconds=1)
    assert A_DAY_LATER.age_seconds == age.total_seconds()
    assert "as of 2025-09-12 00:30, " in "\n".join(drawn(A_DAY_LATER))
    assert ", as of 2025-09-12 00:30, " in one_line(A_DAY_LATER)
    assert "as of" not in one_line(NOTHING_YET)


def test_a_warning_is_shown_until_there_is_none() -> None:
    warned = replace(NOTHING_YET, warning="INSEE has published nothing after Sunday")
    assert "INSEE has published nothing" in "\n".join(drawn(warned))
    assert len(drawn(warned)) == 8
    assert one_line(warned).endswith("(INSEE has published nothing after Sunday)")


def test_a_pause_of_texts_is_shown_with_its_reason() -> None:
    told = "texts are paused (the cap is reached): ./sirenade avis resume"
    paused = replace(NOTHING_YET, texts_paused="cap")
    assert told in "\n".join(drawn(paused))
    assert one_line(paused).endswith(told)


def test_a_server_that_answers_nothing_but_429_is_named() -> None:
    since = dt.datetime(2025, 12, 31, 14, 5).astimezone().timestamp()
    told = "mistral answers nothing but 429 since 31/12 14:05"
    throttled = replace(NOTHING_YET, throttled={"mistral": since})
    assert told in "\n".join(drawn(throttled))
    assert one_line(throttled).endswith(told)


@pytest.mark.parametrize(
    ("per_day", "is_idle", "told"),
    [
        (None, False, ""),
        (0, True, "renewals: 12 wait, held"),
        (500, True, "renewals: 12 wait, at most 500 a day begin"),
    ],
)
def test_renewals_at_a_rate_are_said_and_not_waited_for(
    per_day: int | None, told: str, *, is_idle: bool
) -> None:
    waiting = replace(
        NOTHING_YET, runs_open=0, avis={"pending": 12}, renewals=12, renewals_per_day=per_day
    )
    assert waiting.is_idle is is_idle
    assert told in one_line(waiting)
    assert told in "\n".join(drawn(waiting))
    assert not replace(waiting, avis={"pending": 13}).is_idle, "a first text is waited for"
    assert not replace(waiting, runs_open=1).is_idle


def test_what_insee_says_is_shown_as_it_is() -> None:
    lines = drawn(replace(NOTHING_YET, error="INSEE answers 400: siret:[9 TO *] [/bold]"))
    assert "siret:[9 TO *] [/bold]" in "\n".join(lines)


def test_a_line_for_a_log_says_the_same() -> None:
    assert one_line(NOTHING_YET).startswith("0 of ? rows, 0 requests")


RESTING = replace(
    A_DAY_LATER,
    expected=245_000,
    received=35_000,
    per_day=35_000,
    rows_today=35_000,
    resting_until=dt.datetime(2026, 1, 1, 23, tzinfo=dt.UTC),
)


def test_a_daily_import_says_its_share_when_it_goes_on_and_the_days_that_are_left() -> None:
    text = "\n".join(drawn(NOTHING_YET, RESTING)).replace("\N{NO-BREAK SPACE}", " ")
    assert "today 35 000 of 35 000 rows · goes on 02/01 00:00:00 · days left: 6" in text
    assert "ETA 6 days" in text
    line = one_line(RESTING).replace("\N{NO-BREAK SPACE}", " ")
    assert line.endswith("goes on 02/01 00:00:00 · days left: 6")
    assert "today" not in one_line(A_DAY_LATER)


@pytest.mark.parametrize(
    ("received", "today", "rests", "days"),
    [
        (0, 0, False, 7),
        (10_000, 10_000, False, 7),
        (35_000, 35_000, True, 6),
        # The day after, before its first page.
        (35_000, 0, False, 6),
        (240_000, 30_000, False, 1),
        (245_000, 35_000, False, 0),
    ],
)
def test_days_left_count_today_while_it_has_work(
    received: int, today: int, rests: bool, days: int
) -> None:
    reading = replace(
        RESTING,
        received=received,
        rows_today=today,
        resting_until=RESTING.resting_until if rests else None,
    )
    assert reading.days_left == days


def test_a_watch_goes_on_while_the_database_is_away() -> None:
    """It would end with status 2 while its run goes on."""
    clock = Clock()
    readings: list[Progress | Exception] = [
        error_with("57P01"),
        NOTHING_YET,
        error_with("08006"),
        replace(NOTHING_YET, runs_open=0),
    ]

    def read() -> Progress:
        reading = readings.pop(0)
        if isinstance(reading, Exception):
            raise reading
        return reading

    seen: list[Progress] = []

    def is_over(progress: Progress) -> bool:
        seen.append(progress)
        return progress.runs_open == 0

    assert watch_progress(read, title="t", until=is_over, clock=clock).runs_open == 0
    assert [each.warning is not None for each in seen] == [False, True, False]
    assert "does not answer" in (seen[1].warning or "")


def test_a_watch_ends_where_the_statement_is_at_fault() -> None:
    def read() -> Progress:
        raise error_with("42P01")

    with pytest.raises(DBAPIError):
        watch_progress(read, title="t", until=lambda _: True, clock=Clock())
