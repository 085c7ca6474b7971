"""A load whose process is frozen: another one goes on, and the frozen one writes nothing more."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.integration.writer.desk import Desk
from tests.integration.writer.stock import stoppable_load
from tests.integration.writer.stock.conftest import ESTABLISHMENTS, Stock
from tests.integration.writer.stock.web import Web, serving
from tests.system.conftest import ROOT, wait_for

pytestmark = pytest.mark.usefixtures("left_behind")


@contextmanager
def reading(database_url: str, web: Web) -> Iterator["subprocess.Popen[str]"]:
    """Start a load that has read two thirds of its file."""
    web.stall = len(web.data) * 2 // 3
    process = subprocess.Popen(
        [sys.executable, "-m", stoppable_load.__name__, database_url, web.url],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.communicate()


@pytest.mark.one_role
def test_a_frozen_load_is_relieved_at_its_deadline_and_writes_nothing_when_it_wakes(
    database_url: str, stock_files: dict[str, list[str]], desk: Desk, stock: Stock
) -> None:
    with (
        serving(Path(stock_files["csv"][0]).read_bytes()) as web,
        reading(database_url, web) as frozen,
    ):
        wait_for(lambda: desk.number("stock_chunks") >= 2, seconds=40, what="two chunks")
        frozen.send_signal(signal.SIGSTOP)
        web.stall = None
        web.going_on.set()
        (load,) = stock.load(web.url, pages=False)
        assert load.inserted == ESTABLISHMENTS
        query = text("SELECT xmin, siret FROM etablissements ORDER BY siret")
        with desk.engine.connect() as connection:
            before = connection.execute(query).all()
        frozen.send_signal(signal.SIGCONT)
        _, err = frozen.communicate(timeout=30)
        assert frozen.returncode != 0
        assert "took its place" in err
        with desk.engine.connect() as connection:
            assert connection.execute(query).all() == before
        assert desk.number("stock_loads") == 1
