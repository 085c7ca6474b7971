"""A sweep that is killed with -9 in the middle of its batches: nothing lost, nothing due twice."""

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from services.reviewer.contexts.sweep import ContextSweep
from shared.clock import Clock
from tests.integration.conftest import WaitFor
from tests.integration.reviewer.conftest import Desk, Register
from tests.integration.reviewer.contexts.conftest import Contexts

ROOT = Path(__file__).parents[4]
TEXTS = 60
KILLS = 4
# Batches of two texts, in two processes: they take turns, and are killed wherever they are.
_SWEEPS = """
import sys, time
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.contexts.sweep import ContextSweep
from shared.clock import Clock
from shared.db.engine import make_engine

engine = make_engine(sys.argv[1], application_name="sweeps")
reader = ContextReader(engine, [engine], Clock())
sweep = ContextSweep(reader, Clock(), sole_traders=False, rows=2)
while True:
    sweep.sweep_on(engine)
    time.sleep(0.02)
"""


@pytest.fixture
def written(register: Register, desk: Desk, contexts: Contexts) -> list[int]:
    """Texts of one trade, of which each says another class than the register does now."""
    contexts.certify(communes=["33063"])
    ids = register.add(range(1, TEXTS + 1))
    desk.describe = contexts.reader.describe
    desk.store(*desk.claim(ids))
    register.add(range(TEXTS + 1, 102))
    register.execute("INSERT INTO context_sweeps DEFAULT VALUES")
    return ids


def _checked(register: Register) -> int:
    [row] = register.rows("SELECT checked FROM context_sweeps")
    return int(row["checked"])


def _has_checked(register: Register, number: int) -> bool:
    return _checked(register) >= number


@pytest.mark.one_role
def test_a_killed_sweep_loses_no_text_and_makes_none_due_twice(
    register: Register,
    contexts: Contexts,
    database_url: str,
    written: list[int],
    wait_for: WaitFor,
) -> None:
    register.execute(_COUNT_TURNS)
    drawn = random.Random(5)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(KILLS):
            wanted = min(_checked(register) + 6, TEXTS)
            processes = [_start(database_url) for _ in range(2)]
            wait_for(partial(_has_checked, register, wanted), seconds=90)
            time.sleep(drawn.uniform(0, 0.05))
            for process in processes:
                process.send_signal(signal.SIGKILL)
                process.wait()
    finally:
        for process in processes:
            process.kill()
            process.wait()
    sweep = ContextSweep(contexts.reader, Clock(), sole_traders=False, rows=2)
    while sweep.sweep_on(contexts.engine):
        pass
    [row] = register.rows("SELECT checked, made_due, ended_at IS NULL AS open FROM context_sweeps")
    assert dict(row) == {"checked": TEXTS, "made_due": TEXTS, "open": False}
    turned = register.rows("SELECT id, count(*) AS times FROM turned GROUP BY id ORDER BY id")
    assert [(row["id"], row["times"]) for row in turned] == [(each, 1) for each in written]


# The trigger notes each text that becomes due, in the sweep's own transaction.
_COUNT_TURNS = """
    CREATE TABLE turned (id bigint);
    CREATE FUNCTION note_turn() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO turned VALUES (NEW.id); RETURN NULL; END $$;
    CREATE TRIGGER note_turn AFTER UPDATE ON avis FOR EACH ROW
      WHEN (OLD.outcome = 'accepted' AND NEW.outcome = 'pending') EXECUTE FUNCTION note_turn()
"""


def _start(database_url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", _SWEEPS, database_url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
