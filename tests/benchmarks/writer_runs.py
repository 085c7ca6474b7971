"""A writer's process: its slices on stdin, `ready`, then after `go` the CPU seconds they cost."""

import json
import os
import pickle
import sys
import time
from pathlib import Path

from sqlalchemy import text

from services.writer.store import write_slice
from shared.db.engine import make_engine
from shared.runtime.memory import freeze_objects
from shared.sirene import reference

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def main(url: str) -> None:
    share = pickle.load(sys.stdin.buffer)  # noqa: S301  the benchmark's own
    engine = make_engine(url, application_name="benchmark", pool_size=1)
    with engine.connect() as connection:
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    reference.load()
    freeze_objects()
    print("ready", flush=True)  # noqa: T201  the benchmark waits for it
    sys.stdin.buffer.readline()
    client, server = time.process_time(), cpu_seconds(backend)
    for message in share:
        write_slice(engine, message, sole_traders=False)
    cost = time.process_time() - client, cpu_seconds(backend) - server
    print(json.dumps(cost), flush=True)  # noqa: T201  the benchmark waits for it
    engine.dispose()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, in the kernel's ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


if __name__ == "__main__":
    main(sys.argv[1])
