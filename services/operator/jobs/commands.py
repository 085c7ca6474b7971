"""`./sirenade schedule`: the jobs, and whether an operator runs them."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import RowMapping

from services.operator.connections import open_engine
from services.operator.jobs import slots
from services.operator.output import print_rows
from shared.clock import Clock
from shared.days import FRANCE
from shared.terminal.cli import AsJson, print_json, say

# Several turns of an operator's loop.
_SILENCE_SECONDS = 90.0
_START_ONE = "start one with python -m services.operator run"


def schedule(as_json: AsJson = False) -> None:
    """List the jobs: last run, status, result, next run; in French time.

    Two without an hour come last: dead letters are archived and sizes are read all the time.
    Hours are settings of the operator: SIRENADE_DELTA_AT, SIRENADE_PURGE_AT,
    SIRENADE_REVIEWS_EXPIRE_AT.
    """
    with open_engine().connect() as connection:
        jobs = slots.listing(connection)
        others = slots.listing_without_slots(connection)
    now = Clock().now()
    running = any((now - job["seen_at"]).total_seconds() < _SILENCE_SECONDS for job in jobs)
    if as_json:
        print_json(
            {
                "operator_is_running": running,
                "jobs": [dict(job) for job in jobs],
                "without_slots": [dict(other) for other in others],
            }
        )
        return
    shown = [_shown(job) for job in jobs]
    if shown:
        shown += [{**other, "last": _local(other["last"])} for other in others]
    print_rows(shown, "jobs", as_json=False, empty="no operator has run yet")
    if not running:
        say(f"no operator is running: {_START_ONE}", err=True)


def _shown(job: Mapping[str, object] | RowMapping) -> dict[str, object]:
    last, status = job["last"], job["status"]
    if status == "failed":
        times = f"{job['attempts']} times" if job["attempts"] != 1 else "once"
        status = f"failed {times}, again {_local(job['tried_again_at'])}"
    return {
        "job": job["job"],
        "last": _local(last and datetime.fromisoformat(str(last))),
        "status": status,
        "result": job["result"],
        "next": _local(job["next"]),
    }


def _local(instant: object) -> str | None:
    return f"{instant.astimezone(FRANCE):%d/%m %H:%M}" if isinstance(instant, datetime) else None
