"""A full certificate costs little beside its requests, and is flat in memory."""

import subprocess
import sys
import time
from typing import Any

import pytest
from sqlalchemy import text

from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions
from services.simulator.register.registers import GeneratedRegister
from shared.db.engine import make_engine
from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick

_ROWS = pick(quick=(10_000,), normal=(20_000, 80_000))
# In a process of its own, so that its peak is its own (ru_maxrss would begin with ours); the
# quota is far beyond what it can ask.
_CERTIFY = """
from pathlib import Path
from services.fetcher.__main__ import app
app(["certify", "--departement", "33", "--full"], standalone_mode=False)
status = Path("/proc/self/status").read_text()
print("peak_kib", status.partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("rows", _ROWS)
def test_a_full_certificate_of_many_rows(
    rows: int,
    database_url: str,
    figures: Figures,
) -> None:
    options: Any = {"establishments": rows, "departements": ("33",)}
    server = RunningServer(SimulatorOptions(**options, requests_per_minute=60_000))
    register = GeneratedRegister(SimulatorOptions(**options))
    _store(database_url, [register.identifier("siret", number) for number in range(rows)])

    started_seconds = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-c", _CERTIFY],
        env={
            "PATH": "",
            "SIRENADE_DATABASE_URL": database_url,
            "SIRENADE_BROKER_URL": "amqp://nobody:secret@127.0.0.1:1/none",
            "SIRENADE_INSEE_URL": server.url,
            "SIRENADE_INSEE_KEY": "key",
            "SIRENADE_INSEE_REQUESTS_PER_MINUTE": "10000",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started_seconds
    server.stop()
    assert "agrees: " in answer.stdout, answer.stderr
    peak_mib = int(answer.stdout.split()[-1]) / 1024
    print(  # noqa: T201  a benchmark's result
        f"\n{rows} rows certified: {rows / seconds:.0f} rows/s, peak {peak_mib:.0f} MiB"
    )
    figures.add(f"certify.{rows} rows", rows / seconds, unit="rows/s")
    figures.add(f"certify.{rows} rows, RSS at most", peak_mib, unit="MiB", goal="<= 150")


def _store(database_url: str, sirets: list[str]) -> None:
    engine = make_engine(database_url, application_name="benchmark")
    with engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO etablissements (siret, siren, nic, statut_diffusion, departement,
                  code_commune, content_hash, fetched_at)
                SELECT s, left(s, 9), right(s, 5), 'O', '33', '33063', '', now()
                FROM unnest(CAST(:sirets AS text[])) AS s
            """),
            {"sirets": sirets},
        )
    engine.dispose()
