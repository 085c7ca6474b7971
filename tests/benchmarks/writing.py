"""A writer's process: its slices on stdin, `ready`, then after `go` the CPU seconds they cost."""

import json
import os
import pickle
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from services.writer.reading import map_rows, read_slice
from services.writer.store import write_slice
from shared.db.engine import make_engine
from shared.messages import WriteSlice
from shared.sirene.pages import page_of

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def main(url: str) -> None:
    share: list[WriteSlice] = pickle.load(sys.stdin.buffer)  # noqa: S301  the benchmark's own
    engine = make_engine(url, application_name="benchmark", pool_size=1)
    with engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    if share:
        _warm(share)
    print("ready", flush=True)  # noqa: T201  the benchmark waits for it
    sys.stdin.buffer.readline()
    client, server = time.process_time(), cpu_seconds(backend)
    for message in share:
        write_slice(engine, message, sole_traders=False)
    cost = time.process_time() - client, cpu_seconds(backend) - server
    print(json.dumps(cost), flush=True)  # noqa: T201  the benchmark waits for it
    engine.dispose()


def _warm(share: Sequence[WriteSlice]) -> None:
    """Reference tables are read once in a process's life, and are no cost of a slice."""
    for row in map_rows(read_slice(share[0]).sent)[0]:
        page_of(row.mapped.etablissement, row.mapped.unite)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, in the kernel's ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


if __name__ == "__main__":
    main(sys.argv[1])
