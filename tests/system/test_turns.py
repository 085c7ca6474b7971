"""One process imports and writes texts: any number of due texts leaves the import its pace."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text

from shared.imports.progress import Progress
from tests.integration.reviewer.conftest import Register
from tests.system.conftest import API, ROOT, Insee, column, wait_for

REQUESTS_PER_MINUTE = 30
MEASURED_REQUESTS = 30
DUE_TEXTS = 4000
LEAST_SLOT_USE = 0.95

# The interval of slots is a little longer than a minute's number says.
_USE = text("""
    SELECT (count(*) - 1) * 60.0 / (:per_minute * 0.99)
      / extract(epoch FROM max(granted_at) - min(granted_at))
    FROM (SELECT granted_at FROM insee_requests ORDER BY id DESC LIMIT :requests) last
""")


@contextmanager
def one_process(database_url: str, insee: Insee) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.system.embedded_import",
            database_url,
            insee.root + API,
            str(REQUESTS_PER_MINUTE),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    yield process
    process.terminate()
    process.wait(timeout=60)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_import_keeps_its_pace_beside_thousands_of_due_texts(
    database_url: str,
    engine: Engine,
    start_insee: Callable[..., Insee],
    request_import: Callable[..., None],
    progress: Callable[[], Progress],
) -> None:
    Register(engine).add(range(1, DUE_TEXTS + 1), apart=True)
    insee = start_insee(establishments=200_000, requests_per_minute=2 * REQUESTS_PER_MINUTE)
    with one_process(database_url, insee):
        request_import("33")
        pages = "SELECT count(*) FROM insee_requests"
        wait_for(
            lambda: column(engine, pages)[0] > MEASURED_REQUESTS + 5, seconds=200, what="requests"
        )
        assert progress().runs_open == 1
        due = "SELECT count(*) FROM avis WHERE outcome = 'pending'"
        assert column(engine, due)[0] > 0, "the texts were done before the measurement"
        written = "SELECT count(*) FROM avis WHERE outcome = 'accepted'"
        assert column(engine, written)[0] > 0
    values = {"per_minute": REQUESTS_PER_MINUTE, "requests": MEASURED_REQUESTS}
    with engine.connect() as connection:
        use = connection.execute(_USE, values).scalar_one()
    assert use >= LEAST_SLOT_USE
