"""The longest time without a stored page, and without a text, as a survivor of a blow sees it."""

import itertools
import threading
import time
from dataclasses import dataclass, field

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812  a class, named as one

from deploy.local.postgres import RunningPostgres
from tests.proofs.stack import DATABASE

_EVERY_SECONDS = 0.1
_COUNTS = """
    SELECT (SELECT coalesce(sum(received), 0)::bigint FROM import_batches),
      (SELECT count(*) FROM avis WHERE outcome = 'accepted')
"""
Counts = tuple[int, int]


@dataclass(frozen=True)
class Gap:
    """Seconds; infinite where nothing came before the end."""

    pages: float
    texts: float


def read_counts(server: RunningPostgres) -> Counts:
    with server.connect(DATABASE) as connection:
        return _read(connection)


def _read(connection: Connection) -> Counts:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS)
        pages, texts = cursor.fetchone() or (0, 0)
    return pages, texts


@dataclass
class Onlooker:
    """Reads the counts of rows and texts at one server; a standby shows them, too."""

    server: RunningPostgres
    _seen: list[tuple[float, Counts]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        threading.Thread(target=self._look, name="onlooker", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def has_moved(self, since: float) -> bool:
        """Return whether pages and texts came after this moment of the monotonic clock."""
        return all(moments and moments[-1] > since for moments in self._moments())

    def gap(self, since: float) -> Gap:
        """Return the longest times from this moment on."""
        now = time.monotonic()
        return Gap(
            *(_longest([since, *(m for m in each if m > since), now]) for each in self._moments())
        )

    def _moments(self) -> list[list[float]]:
        """Return the moments at which each count was first seen to be higher."""
        found: list[list[float]] = []
        for kind in (0, 1):
            moments, highest = [], -1
            for at, counts in list(self._seen):
                if counts[kind] > highest:
                    moments.append(at)
                    highest = counts[kind]
            found.append(moments)
        return found

    def _look(self) -> None:
        while not self._ended.is_set():
            server = self.server
            try:
                with server.connect(DATABASE) as connection:
                    while server is self.server and not self._ended.wait(_EVERY_SECONDS):
                        self._seen.append((time.monotonic(), _read(connection)))
            except psycopg2.Error:
                self._ended.wait(_EVERY_SECONDS)


def _longest(moments: list[float]) -> float:
    return max(later - earlier for earlier, later in itertools.pairwise(moments))
