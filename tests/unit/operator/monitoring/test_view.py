"""Views of readings made by hand."""

import datetime as dt
import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from services.operator.monitoring import view
from services.operator.monitoring.queues import Queues
from services.operator.monitoring.recorder import Outside, Recorder, Summary
from services.operator.monitoring.snapshot import Snapshot
from shared.alerts import Alert
from tests.unit.operator.monitoring.made_readings import MIB, OUTSIDE, after


def snapshot(outside: Outside = OUTSIDE, **changes: Any) -> Snapshot:
    """Record fifty seconds with a thousand rows in 2 s; the changes are in the last reading."""
    recorder = Recorder()
    for second in range(0, 50, 2):
        recorder.record(after(second, rows=500 * second, texts=100 * second), outside)
    return recorder.record(after(50, rows=25_000, texts=5000, **changes), outside)


def drawn(it: Snapshot, *, columns: int = 80, away: str | None = None) -> str:
    shown = io.StringIO()
    panel = view.draw(it, title="Sirenade monitor", width=columns - 2, away=away)
    Console(file=shown, width=columns).print(panel)
    return shown.getvalue().replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_reading_fits_a_terminal_of_24_lines(columns: int) -> None:
    lines = drawn(snapshot(), columns=columns).splitlines()
    assert len(lines) <= 23, "\n".join(lines)
    assert {len(line) for line in lines} == {columns - 2}
    assert all("…" not in line for line in lines)


def test_large_numbers_fit_too() -> None:
    recorder = Recorder()
    for second in range(0, 60, 2):
        reading = after(second, rows=12_345_678 + 500 * second, texts=100 * second)
        progress = replace(reading.progress, expected=43_900_000, http_429=1234)
        recorder.record(replace(reading, progress=progress), OUTSIDE)
    last = after(60, rows=12_345_678 + 30_000, failed_items={"write": 1234, "review": 56_789})
    it = recorder.record(
        replace(last, progress=replace(last.progress, expected=43_900_000)), OUTSIDE
    )
    lines = drawn(it).splitlines()
    assert {len(line) for line in lines} == {78}
    assert all("…" not in line for line in lines)
    assert "ETA 17:30:4" in "\n".join(lines)


def test_everything_is_said() -> None:
    text = drawn(snapshot(), columns=120)
    for words in (
        "25 000 / 35 000",
        "ETA 00:00:20 ± 00:00:0",
        "500/s now · 500/s over 15 min · 500/s over the run · texts 100/s",
        "28 of 30 in the last 60 s, 2 left · 429: 0",
        "fetcher 98 MiB · reviewer 2 × ≤ 131 MiB",
        "accepted 5 000 · pending 4 460 · rejected: 0",
        "attempts rejected: near_duplicate 18 · bad_number 3",
        "spent 12.50 € of 50.00 € · set aside 0.25 €",
        "items: 0 · dead letters archived: 0",
        "alerts  none",
    ):
        assert words in text, f"{words}\n{text}"


def test_a_database_that_is_away_is_said_over_what_it_last_told() -> None:
    text = drawn(snapshot(), away="the database does not answer since 12:00:00: asked again")
    assert "does not answer since 12:00:00" in text
    assert "25 000 / 35 000" in text


def test_a_broker_that_is_away_is_a_line() -> None:
    outside = replace(OUTSIDE, queues=Queues(note="RabbitMQ does not answer: AMQPConnectionError"))
    assert "queues  RabbitMQ does not answer: AMQPConnectionError" in drawn(snapshot(outside))


def test_words_of_others_are_no_markup() -> None:
    alert = Alert("SirenadeX[/bold]", "critical", "of [red]some[/red] queue")
    text = drawn(snapshot(replace(OUTSIDE, alerts=[alert])))
    assert "SirenadeX[/bold]: of [red]some[/red] queue" in text


def test_alerts_of_prometheus_take_the_place_of_those_of_the_database() -> None:
    failed = {"write": 2, "review": 0}
    alerts = snapshot(failed_items=failed).alerts
    assert [each.name for each in alerts] == ["SirenadeFailedItems"]
    by_prometheus = snapshot(replace(OUTSIDE, alerts=[]), failed_items=failed)
    assert by_prometheus.alerts == []
    assert by_prometheus.alerts_by == "prometheus"


def test_what_is_critical_comes_first_as_the_last_may_be_cut_off() -> None:
    alerts = [Alert("SirenadeA", "warning", ""), Alert("SirenadeB", "critical", "")]
    it = snapshot(replace(OUTSIDE, alerts=alerts))
    assert [each.name for each in it.alerts] == ["SirenadeB", "SirenadeA"]


def test_an_import_that_stands_still_is_an_alert_after_five_minutes() -> None:
    recorder = Recorder()
    recorder.record(after(0, rows=5000), OUTSIDE)
    assert recorder.record(after(299, rows=5000), OUTSIDE).alerts == []
    alerts = recorder.record(after(301, rows=5000), OUTSIDE).alerts
    assert [each.name for each in alerts] == ["SirenadeImportStalled"]
    assert recorder.record(after(302, rows=5500), OUTSIDE).alerts == []


def test_a_line_for_a_log_says_the_most_of_it() -> None:
    line = view.one_line(snapshot()).replace("\N{NO-BREAK SPACE}", " ")
    assert line.startswith("25 000 of 35 000 establishments, 500/s, ETA 00:00:20 ± 00:00:0")


def test_freshness_and_the_share_of_a_day_are_said_once_they_are_known() -> None:
    reading = after(50, rows=25_000)
    progress = replace(
        reading.progress,
        treated_until=dt.datetime.fromisoformat("2026-01-06T20:00"),
        per_day=10_000,
        rows_today=4000,
    )
    it = Recorder().record(replace(reading, progress=progress), OUTSIDE)
    for said in (drawn(it, columns=120), view.one_line(it).replace("\N{NO-BREAK SPACE}", " ")):
        assert "as of 2026-01-06 20:00, 17 h ago" in said
        assert "today 4 000 of 10 000" in said
        assert "days left: 2" in said


def test_the_summary_adds_up_what_was_seen_and_keeps_the_greatest_memory() -> None:
    summary = Summary()
    summary.add(after(0, rows=5000, texts=100), OUTSIDE.memory)
    summary.add(after(10, rows=9000, texts=300), [replace(OUTSIDE.memory[0], rss_bytes=MIB)])
    assert summary.as_json() == {
        "event": "summary",
        "seconds": 10.0,
        "rows": 4000,
        "rows_per_second": 400.0,
        "http_429": 0,
        "texts": 200,
        "spent_eur": 0.0,
        "failed_items_open": 0,
        "greatest_rss_bytes": {"fetcher": 98 * MIB, "reviewer": 131 * MIB},
    }


def test_a_database_made_anew_takes_nothing_from_the_summary() -> None:
    summary = Summary()
    for second, rows in enumerate([5000, 9000, 0, 1000]):
        summary.add(after(second, rows=rows), [])
    assert summary.rows == 5000
