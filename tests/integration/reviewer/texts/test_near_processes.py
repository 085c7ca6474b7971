"""Two reviewer processes write the neighbours of one place, and one of them is killed with -9."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.reviewer.texts.duplicates import EXACT_DUPLICATE, NEAR_DUPLICATE
from services.reviewer.validation.simhash import NEAR, distance
from tests.integration.conftest import WaitFor

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

ROOT = Path(__file__).parents[4]
TEXTS = 60
Processes = list["subprocess.Popen[bytes]"]


@pytest.fixture
def processes() -> Iterator[Processes]:
    started: Processes = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def _start(database_url: str, seed: int) -> "subprocess.Popen[bytes]":
    script = str(Path(__file__).with_name("near_reviewer.py"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, script, database_url, str(seed)]
    return subprocess.Popen(arguments, cwd=ROOT, env=environment)


def _accepted(register: "Register") -> int:
    return len(register.rows("SELECT 1 FROM avis WHERE outcome = 'accepted'"))


def test_of_two_near_texts_one_says_so_whichever_process_dies(
    register: "Register", database_url: str, processes: Processes, wait_for: WaitFor
) -> None:
    ids = register.add(range(1, TEXTS + 1))
    processes += [_start(database_url, seed) for seed in (1, 2)]
    wait_for(lambda: _accepted(register) >= TEXTS // 4, seconds=120)
    processes[0].send_signal(signal.SIGKILL)
    processes[0].wait()
    processes.append(_start(database_url, 3))
    wait_for(lambda: _accepted(register) == TEXTS, seconds=120)
    assert [process.wait(60) for process in processes] == [-signal.SIGKILL, 0, 0]

    kept = register.rows("SELECT avis_id, simhash FROM avis_simhashes ORDER BY avis_id")
    assert [row["avis_id"] for row in kept] == ids
    accepted = register.rows("SELECT avis_id, reasons FROM avis_attempts WHERE accepted")
    assert sorted(row["avis_id"] for row in accepted) == ids, "each is stored once"
    told = {
        row["avis_id"]
        for row in accepted
        if {EXACT_DUPLICATE, NEAR_DUPLICATE} & set(row["reasons"])
    }
    silent = [row for row in kept if row["avis_id"] not in told]
    for one, other in itertools.combinations(silent, 2):
        assert distance(one["simhash"], other["simhash"]) > NEAR
