"""Views of readings made by hand."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from services.operator.monitoring import view
from services.operator.monitoring.queues import Queues
from services.operator.monitoring.recorder import Recorder
from services.operator.monitoring.snapshot import Snapshot
from shared.alerts import Alert
from tests.unit.operator.monitoring.made_readings import OUTSIDE, after, made_snapshot


def drawn(it: Snapshot, *, columns: int = 80, away: str | None = None) -> str:
    shown = io.StringIO()
    panel = view.draw(it, title="Sirenade monitor", width=columns - 2, away=away)
    Console(file=shown, width=columns).print(panel)
    return shown.getvalue().replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_reading_fits_a_terminal_of_24_lines(columns: int) -> None:
    lines = drawn(made_snapshot(), columns=columns).splitlines()
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


def test_a_pause_of_texts_is_said_with_its_reason() -> None:
    told = "texts are paused (somebody asked for it): ./sirenade avis resume"
    running = made_snapshot()
    paused = replace(running, spend=replace(running.spend, paused_because="asked"))
    for it, is_said in ((running, False), (paused, True)):
        assert (told in drawn(it)) == is_said
        assert (told in view.one_line(it)) == is_said


def test_everything_is_said() -> None:
    text = drawn(made_snapshot(), columns=120)
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
    text = drawn(made_snapshot(), away="the database does not answer since 12:00:00: asked again")
    assert "does not answer since 12:00:00" in text
    assert "25 000 / 35 000" in text


def test_a_broker_that_is_away_is_a_line() -> None:
    outside = replace(OUTSIDE, queues=Queues(note="RabbitMQ does not answer: AMQPConnectionError"))
    assert "queues  RabbitMQ does not answer: AMQPConnectionError" in drawn(made_snapshot(outside))


def test_words_of_others_are_no_markup() -> None:
    alert = Alert("SirenadeX[/bold]", "critical", "of [red]some[/red] queue")
    text = drawn(made_snapshot(replace(OUTSIDE, alerts=[alert])))
    assert "SirenadeX[/bold]: of [red]some[/red] queue" in text


def test_a_line_for_a_log_says_the_most_of_it() -> None:
    line = view.one_line(made_snapshot()).replace("\N{NO-BREAK SPACE}", " ")
    assert line.startswith("25 000 of 35 000 establishments, 500/s, ETA 00:00:20 ± 00:00:0")


def test_the_share_of_a_day_is_drawn() -> None:
    reading = after(50, rows=25_000)
    progress = replace(reading.progress, per_day=10_000, rows_today=4000)
    it = Recorder().record(replace(reading, progress=progress), OUTSIDE)
    assert "today 4 000 of 10 000" in drawn(it, columns=120)
