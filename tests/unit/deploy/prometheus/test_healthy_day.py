"""No alert fires in a healthy day: services start, import with templates, end, and idle."""

import json
import subprocess
from pathlib import Path

from deploy.prometheus.rules import ALERTS
from tests.servers.monitoring_binaries import find_or_fetch
from tests.unit.deploy.prometheus.rules import read_alerts

# Minutes: idle from the start on, an hour of import, its end, idle again.
_IDLE, _WORK, _AFTER = 30, 60, 150
_EVERY_SECONDS = 15
# The clock of promtool begins at 0: the day before is negative.
_MIDNIGHT_SECONDS = 86_400
_ROWS = 30_000
_JOBS = ("delta", "retry", "purge", "reviews", "statement", "archive", "reconcile")


def _phases(before: str, during: str, after: str) -> str:
    """Return promtool's series: a value and its step in each phase, each 15 s."""
    count = 60 // _EVERY_SECONDS
    return " ".join(
        f"{value}x{minutes * count}"
        for value, minutes in ((before, _IDLE), (during, _WORK), (after, _AFTER))
    )


def _steady(value: object) -> str:
    return _phases(*(f"{value}+0",) * 3)


def _counted(total: int) -> str:
    """Return a counter that grows in the hour of work alone."""
    step = total / (_WORK * 60 / _EVERY_SECONDS)
    return _phases("0+0", f"0+{step}", f"{total}+0")


def _series() -> dict[str, str]:
    services = ("fetcher", "writer", "reviewer", "operator", "portal", "indexer")
    found = {f'up{{job="{job}",instance="{job}"}}': _steady(1) for job in services}
    found |= {f'up{{job="{job}"}}': _steady(1) for job in ("rabbitmq", "postgres")}
    for queue in ("sirene.fetch.v1", "sirene.write.v1", "sirene.review.v1"):
        found[f'rabbitmq_detailed_queue_consumers{{queue="{queue}"}}'] = _steady(1)
        ready = _phases("0+0", "80+0", "0+0")
        found[f'rabbitmq_detailed_queue_messages_ready{{queue="{queue}"}}'] = ready
        found[f'rabbitmq_detailed_queue_messages{{queue="{queue}"}}'] = ready
    found |= {
        'pg_up{job="postgres"}': _steady(1),
        "rabbitmq_alarms_memory_used_watermark": _steady(0),
        "rabbitmq_alarms_free_disk_space_watermark": _steady(0),
        "rabbitmq_disk_space_available_bytes": _steady(50e9),
        "pg_stat_database_numbackends": _phases("9+0", "20+0", "9+0"),
        "pg_settings_max_connections": _steady(100),
        "sirenade_pool_connections_limit": _steady(30),
        'sirenade_loop_last_turn_timestamp_seconds{loop="planner"}': _phases(
            f"0+{_EVERY_SECONDS}",
            f"{_IDLE * 60}+{_EVERY_SECONDS}",
            f"{(_IDLE + _WORK) * 60}+{_EVERY_SECONDS}",
        ),
        'sirenade_loop_interval_seconds{loop="planner"}': _steady(1),
        'sirenade_exporter_up{reading="work"}': _steady(1),
        "sirenade_database_bytes": _steady(1e9),
        "sirenade_log_bytes": _steady(1e8),
        'sirenade_job_last_success_timestamp_seconds{name="archive"}': _phases(
            "-600+0", "3000+0", "6600+0"
        ),
    }
    found |= {f'sirenade_job_fault{{name="{job}"}}': _steady(0) for job in _JOBS}
    return found | _import() | _texts() | _portal()


def _import() -> dict[str, str]:
    outcomes = ("throttled", "refused", "unavailable", "malformed", "no_answer")
    found = {f'sirenade_insee_requests_total{{outcome="{each}"}}': _steady(0) for each in outcomes}
    # A gateway is restarted in mid-import: three answers are bad, and one is good again.
    found['sirenade_insee_requests_total{outcome="unavailable"}'] = _phases("0+0", "3+0", "3+0")
    found['sirenade_insee_failing_timestamp_seconds{outcome="unavailable"}'] = (
        f"0+0x{_IDLE * 4} {_IDLE * 60}+0x4 0+0x{(_WORK + _AFTER) * 4 - 4}"
    )
    return found | {
        'sirenade_insee_requests_total{outcome="ok"}': _counted(30 * _WORK),
        'sirenade_insee_throttled_total{cause="minute"}': _steady(0),
        "sirenade_quota_limit_requests": _steady(30),
        "sirenade_quota_used_requests": _phases("0+0", "30+0", "0+0"),
        "sirenade_quota_share_ratio": _steady(1),
        "sirenade_quota_pause_seconds": _steady(0),
        "sirenade_import_waiting_pages": _phases("0+0", "4+0", "0+0"),
        "sirenade_import_received_rows": _counted(_ROWS),
        "sirenade_import_left_today_rows": _phases("0+0", f"{_ROWS}-{_ROWS / (_WORK * 4)}", "0+0"),
        "sirenade_import_last_order_timestamp_seconds": _phases(
            "-90000+0", f"{_IDLE * 60}+0", f"{_IDLE * 60}+0"
        ),
        'sirenade_import_runs{status="pending"}': _steady(0),
        'sirenade_import_runs{status="running"}': _phases("0+0", "1+0", "0+0"),
        "sirenade_import_day_share_rows": _phases("0+0", "35000+0", "0+0"),
        "sirenade_day_end_timestamp_seconds": _steady(_MIDNIGHT_SECONDS),
        'sirenade_rows_written_total{outcome="inserted"}': _counted(_ROWS),
        'sirenade_freshness_age_seconds{collection="etablissements"}': _steady(90_000),
        "sirenade_freshness_unmeasured": _steady(0),
        'sirenade_certificate_gap_establishments{side="missing"}': _steady(0),
        'sirenade_unknown_codes{field="activite_principale"}': _steady(0),
        "sirenade_turns_overdue": _steady(0),
        'sirenade_failed_items_open{kind="write"}': _phases("0+0", "2+0", "0+0"),
        "sirenade_dead_letters_waiting": _steady(0),
    }


def _texts() -> dict[str, str]:
    texts = 10_000
    return {
        "sirenade_avis_unpublished": _steady(0),
        'sirenade_avis_reviewed_total{outcome="accepted"}': _counted(texts),
        'sirenade_avis_reviewed_total{outcome="rejected"}': _steady(0),
        # The template puts it in other words.
        'sirenade_avis_rejections_total{reason="near_duplicate"}': _counted(texts * 18 // 100),
        "sirenade_avis_attempt_seconds_count": _counted(texts),
        "sirenade_avis_unclaimed_total": _steady(0),
        "sirenade_avis_oldest_published_timestamp_seconds": _phases(
            "_", f"{_IDLE * 60}+{_EVERY_SECONDS}", "_"
        ),
        # A priced provider stands in the file, and nobody has named a cap.
        'sirenade_budget_paused{reason="cap"}': _steady(1),
        "sirenade_budget_cap_euros": _steady(0),
        "sirenade_budget_spent_euros": _steady(0),
        "sirenade_budget_reserved_euros": _steady(0),
        'sirenade_provider_calls{provider="p"}': _steady(0),
    }


def _portal() -> dict[str, str]:
    return {
        'sirenade_portal_requests_total{status="2xx",route="page"}': _phases(
            "0+30", "3600+30", "10800+30"
        ),
        'sirenade_portal_requests_total{status="5xx",route="page"}': _steady(0),
        "sirenade_index_lag_seconds": _phases("0+0", "4+0", "0+0"),
        'sirenade_elasticsearch_documents_total{result="refused"}': _steady(0),
        "sirenade_webhook_failing_seconds": _steady(0),
    }


def test_no_alert_fires_in_a_healthy_day(tmp_path: Path) -> None:
    quiet = [
        {"alertname": alert.name, "eval_time": f"{minute}m", "exp_alerts": []}
        for alert in read_alerts()
        for minute in range(10, _IDLE + _WORK + _AFTER, 10)
    ]
    test = {
        "interval": f"{_EVERY_SECONDS}s",
        "input_series": [{"series": name, "values": each} for name, each in _series().items()],
        "alert_rule_test": quiet,
    }
    file = tmp_path / "day.yml"
    content = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [test]}
    file.write_text(json.dumps(content), encoding="utf-8")
    done = subprocess.run(
        [str(find_or_fetch("promtool")), "test", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
