"""The timeline of a server: each promotion begins a higher one.

An old primary that comes back without being told still takes writes, on a timeline that is over.
Each process remembers the highest one that it has seen; a new one asks all servers that it can
reach. The memory is no row: the old primary's rows say that all is well.
"""

import threading
from dataclasses import dataclass
from typing import Any

import psycopg2

_TIMELINE = """
    SELECT (SELECT system_identifier FROM pg_control_system()), pg_is_in_recovery(),
      CASE WHEN pg_is_in_recovery()
        THEN (SELECT greatest(c.timeline_id, r.min_recovery_end_timeline)
              FROM pg_control_checkpoint() c, pg_control_recovery() r)
        ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END
"""


@dataclass(frozen=True)
class Timeline:
    """A server's timeline; 0 where the server does not tell it, as some that others run."""

    cluster: int
    number: int
    is_standby: bool = False


class OldTimeline(psycopg2.OperationalError):
    """Raised for a server that takes writes on a timeline that is over: an outage like others."""


class _Seen:
    """The highest timeline that this process has seen, by cluster."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._highest: dict[int, int] = {}

    def note(self, timeline: Timeline) -> None:
        with self._lock:
            known = self._highest.get(timeline.cluster, 0)
            self._highest[timeline.cluster] = max(known, timeline.number)

    def beyond(self, timeline: Timeline) -> int | None:
        """Return the timeline that ended this one, None where none is known."""
        known = self._highest.get(timeline.cluster, 0)
        return known if timeline.number < known and not timeline.is_standby else None


seen = _Seen()


def read_timeline(driver_connection: Any) -> Timeline:
    """Ask a server for its timeline, and remember the highest."""
    try:
        with driver_connection.cursor() as cursor:
            cursor.execute(_TIMELINE)
            cluster, is_standby, number = cursor.fetchone()
    except (psycopg2.ProgrammingError, psycopg2.NotSupportedError):
        return Timeline(0, 0)
    finally:
        if not driver_connection.closed:
            driver_connection.rollback()
    timeline = Timeline(cluster, number, is_standby)
    seen.note(timeline)
    return timeline


def refuse_old(timeline: Timeline, server: str) -> None:
    """Raise OldTimeline for a server that takes writes although a later timeline was seen."""
    later = seen.beyond(timeline)
    if later is not None:
        raise OldTimeline(
            f"PostgreSQL at {server} takes writes on timeline {timeline.number}, and timeline"
            f" {later} was seen: it is an old primary, stop it (docs/operations.md#old-primary)"
        )
