"""The report of `make demo`, measured in the database that it filled."""

import json
from pathlib import Path
from typing import Any

from rich.table import Table
from sqlalchemy import Connection, text

from shared.imports.progress import read_progress
from shared.terminal.words import mib, thousands

# Compares sets, not counts: one missing and one surplus row must not cancel out.
_ROWS = text("""
    SELECT
      (SELECT coalesce(sum(expected), 0)::bigint FROM import_batches) AS expected,
      (SELECT count(*) FROM etablissements) AS stored,
      (SELECT count(*) FROM (
         SELECT unnest(r.sirets) FROM slice_receipts r
         JOIN import_pages p ON p.batch_id = r.batch_id AND p.number = r.page
           AND p.fetch_id = r.fetch_id
         EXCEPT SELECT siret FROM etablissements) gone) AS lost,
      (SELECT count(DISTINCT s) FROM slice_receipts r
         JOIN import_pages p ON p.batch_id = r.batch_id AND p.number = r.page
           AND p.fetch_id = r.fetch_id, unnest(r.sirets) s) AS received_distinct,
      (SELECT count(*) FROM failed_items WHERE resolved_at IS NULL) AS failed_items,
      (SELECT count(*) FROM import_runs WHERE status <> 'complete') AS runs_not_complete,
      (SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float
         FROM import_runs) AS seconds,
      (SELECT extract(epoch FROM max(completed_at) - min(created_at))::float
         FROM import_runs) AS import_seconds
""")
_REASONS = text("""
    SELECT reason, count(*) AS n FROM avis_attempts, unnest(reasons) AS reason
    GROUP BY reason ORDER BY n DESC, reason
""")


Report = dict[str, Any]


def read_report(connection: Connection, peak_rss_bytes_by_process: dict[str, int]) -> Report:
    rows = connection.execute(_ROWS).one()
    progress = read_progress(connection)
    import_seconds = rows.import_seconds or rows.seconds or 0
    return {
        "establishments_expected": rows.expected,
        "establishments_stored": rows.stored,
        # Rows that were received and not stored, and rows that were never received.
        "establishments_missing": rows.lost + max(0, rows.expected - rows.received_distinct),
        "requests": progress.requests,
        "http_429": progress.http_429,
        "rows_per_second": round(rows.stored / import_seconds, 1) if import_seconds else 0.0,
        "quota_efficiency": round(rows.stored / (1000 * max(progress.requests, 1)), 4),
        "slot_use": round(progress.slot_use or 0.0, 4),
        "avis_due": progress.avis_due,
        "avis_accepted": progress.avis_accepted,
        "avis_pending": progress.avis_pending,
        "avis_skipped_non_diffusible": progress.avis.get("skipped_non_diffusible", 0),
        "avis_skipped_sole_trader": progress.avis.get("skipped_sole_trader", 0),
        "avis_attempts_rejected_by_reason": {
            row.reason: row.n for row in connection.execute(_REASONS)
        },
        "failed_items": rows.failed_items,
        "runs_not_complete": rows.runs_not_complete,
        "seconds": round(rows.seconds or 0, 1),
        "peak_rss_bytes_by_process": peak_rss_bytes_by_process,
    }


def kept_its_promise(report: Report) -> bool:
    """Tell whether everything is there and nothing is left to do."""
    left = ("establishments_missing", "avis_pending", "runs_not_complete")
    return all(report[name] == 0 for name in left) and report["avis_accepted"] == report["avis_due"]


def write_report(report: Report, path: Path) -> None:
    """Write the whole file or none."""
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def draw_report(report: Report) -> Table:
    table = Table(title="What the demo did", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, value in report.items():
        if isinstance(value, dict):
            shown = (f"{key}: {_readable(name, number)}" for key, number in value.items())
            table.add_row(_title(name), "\n".join(shown) or "none")
        else:
            table.add_row(_title(name), _readable(name, value))
    return table


def _title(name: str) -> str:
    return name.replace("_", " ").replace(" bytes", "")


def _readable(name: str, value: object) -> str:
    assert isinstance(value, int | float)
    if "bytes" in name:
        return mib(value)
    if isinstance(value, float):
        return f"{value:g}"
    return thousands(value)
