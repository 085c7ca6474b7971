"""CPU of processes and of PostgreSQL's backends in nanoseconds, as the kernel counts it."""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import connection as Connection  # noqa: N812  a class, named as one

from deploy.local import processes


def spent_ns(pids: Iterable[int]) -> int:
    """CPU of these processes, all their threads; one that has ended counts nothing."""
    spent = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                spent += int(thread.read_text(encoding="ascii").split()[0])
    return spent


def family_ns(pid: int) -> int:
    """CPU of a process and of those that it started and that still run."""
    return spent_ns(processes.with_children(pid))


def backends(connection: Connection) -> list[int]:
    """Return the backends of the connection's database but its own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type IN ('client backend', 'parallel worker')"
            " AND pid <> pg_backend_pid()"
        )
        return [int(pid) for (pid,) in cursor.fetchall()]


@dataclass(frozen=True)
class Cost:
    """One call: CPU of this process and of the backends, and the wall clock, in milliseconds."""

    cpu_ms: float
    wall_ms: float


def cheapest(call: Callable[[], object], servers: Iterable[int], *, rounds: int) -> Cost:
    """The least of some rounds: what is more is a neighbour's."""
    pids = tuple(servers)
    cpu, wall = [], []
    for _ in range(rounds):
        server, own, begun = spent_ns(pids), time.process_time_ns(), time.perf_counter_ns()
        call()
        wall.append(time.perf_counter_ns() - begun)
        cpu.append(time.process_time_ns() - own + spent_ns(pids) - server)
    return Cost(min(cpu) / 1e6, min(wall) / 1e6)


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
