"""An indexer that is killed at any moment has done a batch, or nothing of it (R6)."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import Engine

from tests.integration.portal.index import busy_indexer
from tests.integration.portal.index.conftest import Step, compared
from tests.integration.portal.search.invented import invent, store
from tests.integration.writer.desk import Desk

_ROOT = Path(__file__).resolve().parents[4]
_KILLS = 8


def test_killed_indexers_leave_an_index_that_goes_on(
    desk: Desk, engine: Engine, database_url: str, step: Step
) -> None:
    store(engine, invent(100))
    dice = random.Random(3)
    for turn in range(_KILLS):
        if turn == _KILLS // 2:
            desk.execute("DELETE FROM search_cursors WHERE consumer = 'index'")
        desk.execute(
            "UPDATE etablissements SET tranche_effectifs = :tranche, enseigne1 = enseigne1 || ' X'"
            " WHERE CAST(right(left(siret, 9), 3) AS int) % 4 = :part",
            tranche=dice.choice(["01", "11", "21"]),
            part=turn % 4,
        )
        command = [sys.executable, "-m", busy_indexer.__name__, database_url]
        process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(dice.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
        process.stdout.close()
        found = compared(engine)
        assert (found.missing_words, found.surplus_words) == (0, 0)
    found = step()
    assert found.agrees
    assert (found.waiting, found.entries) == (0, 100)
