"""The resources of a process, read from outside."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psutil  # type: ignore[import-untyped]  # it ships no types

from deploy.local import processes


@dataclass(frozen=True)
class ProcessUsage:
    """The use of one process; `connections` are its established TCP connections."""

    rss_bytes: int
    cpu_seconds: float
    files: int
    threads: int
    connections: int


@dataclass
class UsageMeter:
    """Keeps what psutil knows of a process, so that a reading costs little."""

    _known: dict[int, psutil.Process] = field(default_factory=dict)

    def read(self, pids: Mapping[str, int]) -> dict[str, ProcessUsage]:
        """Read processes by name, without those that have ended."""
        found = ((name, self._read_one(pid)) for name, pid in pids.items())
        return {name: usage for name, usage in found if usage is not None}

    def read_families(self, pids: Mapping[str, int]) -> dict[str, ProcessUsage]:
        """Read servers with all their children, without the memory that they share."""
        return {name: _family(pid) for name, pid in pids.items()}

    def _read_one(self, pid: int) -> ProcessUsage | None:
        try:
            process = self._known.setdefault(pid, psutil.Process(pid))
            with process.oneshot():
                times = process.cpu_times()
                return ProcessUsage(
                    rss_bytes=process.memory_info().rss,
                    cpu_seconds=round(times.user + times.system, 2),
                    files=process.num_fds(),
                    threads=process.num_threads(),
                    connections=_established(process.net_connections("tcp")),
                )
        except psutil.NoSuchProcess:
            return None


def _established(connections: Iterable[object]) -> int:
    return sum(getattr(each, "status", "") == psutil.CONN_ESTABLISHED for each in connections)


def _family(pid: int) -> ProcessUsage:
    rss_bytes, cpu_seconds, files, threads = 0, 0.0, 0, 0
    for member in processes.with_children(pid):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(member)
            memory, times = process.memory_info(), process.cpu_times()
            # The parent keeps the time of children that have ended.
            cpu_seconds += sum(times[:4] if member == pid else times[:2])
            rss_bytes += memory.rss - memory.shared
            files += process.num_fds()
            threads += process.num_threads()
    return ProcessUsage(rss_bytes, round(cpu_seconds, 2), files, threads, connections=0)
