"""`import --per-day N --continuous` as people run it: over days, and over kills."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from shared.imports.progress import Progress
from tests.system.conftest import ROOT, StartServices, wait_for

ESTABLISHMENTS = 4000
PER_DAY = 1500
DAY_SECONDS = 10
SERVICES = ("fetcher-1", "fetcher-2", "writer-1")


def rows_by_day(engine: Engine) -> Counter[datetime]:
    """Rows by day, each page in a day in which a GET of it left, but for a moment at its start."""
    days: Counter[datetime] = Counter()
    with engine.connect() as connection:
        for day, rows, left_on_that_day in connection.execute(
            text("""
                SELECT p.share_day, p.records, bool_or(q.granted_at BETWEEN
                  p.share_day - interval '0.5 s' AND p.share_day + make_interval(secs => :seconds))
                FROM import_pages p
                JOIN insee_requests q ON q.batch_id = p.batch_id AND q.page = p.number
                WHERE q.records = p.records GROUP BY p.batch_id, p.number
            """),
            {"seconds": DAY_SECONDS},
        ):
            assert left_on_that_day
            days[day] += rows
    return days


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_daily_import_keeps_its_share_through_kills_and_ends_with_every_row_once(
    engine: Engine,
    private_rabbitmq_url: str,
    start_services: StartServices,
    progress: Callable[[], Progress],
) -> None:
    insee, processes = start_services(
        *SERVICES,
        broker_url=private_rabbitmq_url,
        establishments=ESTABLISHMENTS,
        requests_per_minute=500,
        insee_rows_per_page=200,
    )
    command = [
        *(sys.executable, "-m", "services.dispatch", "import", "--departement", "33"),
        *("--per-day", str(PER_DAY), "--continuous", "--day-seconds", str(DAY_SECONDS), "--json"),
    ]

    def ask() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=processes.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    first = ask()
    try:
        wait_for(lambda: progress().received >= 400, seconds=60, what="the first pages")
        for name in SERVICES:
            processes.kill(name)
        # Whoever watched is gone as well, and asks for the same again.
        first.kill()
        for name in SERVICES:
            processes.start(name)
        second = ask()
        out, err = second.communicate(timeout=150)
    finally:
        first.kill()
        first.communicate()
    assert second.returncode == 0, err
    outcome: dict[str, Any] = json.loads(out)
    assert (outcome["received"], outcome["missing"]) == (ESTABLISHMENTS, 0)
    assert "rows a day" in err
    days = rows_by_day(engine)
    assert sum(days.values()) == ESTABLISHMENTS
    assert max(days.values()) <= PER_DAY
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM import_runs")) == 1
        assert connection.scalar(text("SELECT count(*) FROM etablissements")) == ESTABLISHMENTS
    assert insee.quota()["http_429"] == 0
