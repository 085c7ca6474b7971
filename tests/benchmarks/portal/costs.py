"""CPU of a request under load: of the server, of what it needs, and of PostgreSQL's backends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg2.extensions import connection as Connection  # noqa: N812  a class, named as one

from tests.benchmarks.portal import cpu
from tests.benchmarks.portal.load import Load, load
from tests.portals import Server


@dataclass
class Costs:
    """The least CPU of a request in some rounds, and the load of that round."""

    us: float = float("inf")
    load: Load | None = None

    def measure(
        self,
        server: Server,
        connection: Connection,
        paths: Sequence[str],
        folder: Path,
        *,
        seconds: int,
        headers: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """Ask for the paths in turn; `connection` is to the server's database."""
        pids = [*server.pids, *cpu.backends(connection)]
        before = cpu.spent_ns(pids)
        seen = load(server.address, paths, folder, seconds=seconds, headers=headers)
        self._take(seen, cpu.spent_ns(pids) - before)

    def _take(self, seen: Load, spent_ns: int) -> None:
        assert seen.broken == 0
        assert seen.refused == 0
        us = spent_ns / seen.requests / 1000
        if us < self.us:
            self.us, self.load = us, seen

    def __str__(self) -> str:
        assert self.load is not None
        return (
            f"{self.us:.0f} CPU µs a request, {self.load.per_second:.0f}/s,"
            f" p50 {self.load.p50_ms:.1f}, p99 {self.load.p99_ms:.1f} ms"
        )
