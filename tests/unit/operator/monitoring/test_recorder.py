"""Snapshots and sums of readings made by hand."""

from dataclasses import replace

from services.operator.monitoring.recorder import Recorder, Summary
from shared.alerts import Alert
from tests.unit.operator.monitoring.made_readings import MIB, OUTSIDE, after, made_snapshot


def test_alerts_of_prometheus_take_the_place_of_those_of_the_database() -> None:
    failed = {"write": 2, "review": 0}
    alerts = made_snapshot(failed_items=failed).alerts
    assert [each.name for each in alerts] == ["SirenadeFailedItems"]
    by_prometheus = made_snapshot(replace(OUTSIDE, alerts=[]), failed_items=failed)
    assert by_prometheus.alerts == []
    assert by_prometheus.alerts_by == "prometheus"


def test_what_is_critical_comes_first_as_the_last_may_be_cut_off() -> None:
    alerts = [Alert("SirenadeA", "warning", ""), Alert("SirenadeB", "critical", "")]
    it = made_snapshot(replace(OUTSIDE, alerts=alerts))
    assert [each.name for each in it.alerts] == ["SirenadeB", "SirenadeA"]


def test_an_import_that_stands_still_is_an_alert_after_five_minutes() -> None:
    recorder = Recorder()
    recorder.record(after(0, rows=5000), OUTSIDE)
    assert recorder.record(after(299, rows=5000), OUTSIDE).alerts == []
    alerts = recorder.record(after(301, rows=5000), OUTSIDE).alerts
    assert [each.name for each in alerts] == ["SirenadeImportStalled"]
    assert recorder.record(after(302, rows=5500), OUTSIDE).alerts == []


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
