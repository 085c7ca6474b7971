"""Slices in memory, made of the simulator's records, and the processes that write them."""

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.fetcher.walk.slices import slice_of
from services.simulator.options import SimulatorOptions
from services.simulator.register.registers import GeneratedRegister
from shared.messages import WriteSlice
from tests.integration.writer.desk import Desk

Record = dict[str, Any]


def records(number: int) -> list[Record]:
    """Establishments of one département, in the order of a walk."""
    register = GeneratedRegister(SimulatorOptions(establishments=number, departements=("33",)))
    return [dict(register.record("siret", position)) for position in range(number)]


def with_changes(everything: Sequence[Record], *, one_in: int) -> list[Record]:
    """Every so manieth one moved to another number of its street, and was treated then."""
    changed = [dict(record) for record in everything]
    for record in changed[::one_in]:
        record["dateDernierTraitementEtablissement"] = "2026-10-01T00:00:00.000"
        record["adresseEtablissement"] = {
            **record["adresseEtablissement"],
            "numeroVoieEtablissement": "7777",
        }
    return changed


def messages(
    desk: Desk, everything: Sequence[Record], *, size: int, fetched_at: str
) -> list[WriteSlice]:
    batch = desk.batch(departement=None)
    fetch_id = desk.fetch(batch, slices=1_000_000)
    starts = range(0, len(everything), size)
    slices = [slice_of(everything[at : at + size]) for at in starts]
    return [
        WriteSlice(batch, 1, fetch_id, number, fetched_at, each.records, each.shard, each.digests)
        for number, each in enumerate(slices)
    ]


@dataclass(frozen=True)
class Cost:
    """All writers together; CPU of the writers' processes and of their backends."""

    rows: int
    elapsed_seconds: float
    client_seconds: float
    server_seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.elapsed_seconds

    def per_row_us(self, seconds: float) -> float:
        return seconds / self.rows * 1e6


def write(url: str, slices: Sequence[WriteSlice], *, rows: int, writers: int) -> Cost:
    """Write the slices with `writers` processes, each with one connection and its share."""
    shares = [slices[number::writers] for number in range(writers)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.writer_runs", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in shares
    ]
    for process, share in zip(processes, shares, strict=True):
        _tell(process, pickle.dumps(share))
    for process in processes:
        assert _hear(process) == b"ready\n"
    started = time.perf_counter()
    for process in processes:
        _tell(process, b"go\n")
    costs = [json.loads(_hear(process)) for process in processes]
    elapsed = time.perf_counter() - started
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    return Cost(rows, elapsed, sum(cost[0] for cost in costs), sum(cost[1] for cost in costs))


def _tell(process: "subprocess.Popen[bytes]", words: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(words)
    process.stdin.flush()


def _hear(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()
