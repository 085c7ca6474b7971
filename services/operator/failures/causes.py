"""The causes of open failures, at the same cost however many there are.

Each cause is found by a step of the index `ix_failed_items_cause`, and counted up to a bound.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

MOST_COUNTED = 10_000

_CAUSES = text("""
    WITH RECURSIVE causes AS (
      (SELECT kind, code FROM failed_items WHERE resolved_at IS NULL
       ORDER BY kind, code LIMIT 1)
      UNION ALL
      SELECT n.kind, n.code FROM causes c CROSS JOIN LATERAL (
        SELECT kind, code FROM failed_items
        WHERE resolved_at IS NULL AND (kind, code) > (c.kind, c.code)
        ORDER BY kind, code LIMIT 1) n)
    SELECT c.kind, c.code, counted.items, counted.under_way, first.created_at AS first_at,
      last.created_at AS last_at, first.key AS example
    FROM causes c
    CROSS JOIN LATERAL (
      SELECT count(*) AS items,
        count(*) FILTER (WHERE retries > 0 AND next_attempt_at > now()) AS under_way
      FROM (SELECT retries, next_attempt_at FROM failed_items
            WHERE resolved_at IS NULL AND kind = c.kind AND code = c.code
            ORDER BY id LIMIT :most + 1) bounded) counted
    CROSS JOIN LATERAL (
      SELECT created_at, key FROM failed_items
      WHERE resolved_at IS NULL AND kind = c.kind AND code = c.code ORDER BY id LIMIT 1) first
    CROSS JOIN LATERAL (
      SELECT created_at FROM failed_items
      WHERE resolved_at IS NULL AND kind = c.kind AND code = c.code ORDER BY id DESC LIMIT 1) last
""")
_ENDED = text("""
    SELECT closed_because IS NULL AS is_done, count(*) AS items
    FROM (SELECT closed_because FROM failed_items
          WHERE resolved_at > now() - interval '1 day' LIMIT :most + 1) bounded
    GROUP BY 1
""")
_ITEMS = text("""
    SELECT id, kind, key, code, attempts, retries, created_at, next_attempt_at
    FROM failed_items
    WHERE resolved_at IS NULL AND kind = :kind AND code = :code
      AND id > coalesce(CAST(:after AS bigint), 0)
    ORDER BY id LIMIT :limit
""")
# An item that is tried again already keeps its turn.
_WAITING = text("""
    SELECT id FROM failed_items
    WHERE resolved_at IS NULL AND kind = :kind AND code = :code
      AND (retries = 0 OR next_attempt_at <= now())
    ORDER BY id LIMIT :limit
""")


class FailureCause(NamedTuple):
    """`items` is one more than `MOST_COUNTED` where there are more than those."""

    kind: str
    code: str
    items: int
    under_way: int
    first_at: dt.datetime
    last_at: dt.datetime
    example: str

    @property
    def waiting(self) -> int:
        return self.items - self.under_way

    @property
    def is_exact(self) -> bool:
        return self.items <= MOST_COUNTED


class FailedRow(NamedTuple):
    id: int
    kind: str
    key: str
    code: str
    attempts: int
    retries: int
    created_at: dt.datetime
    next_attempt_at: dt.datetime


class Endings(NamedTuple):
    """The items that ended within a day: done, or closed since nobody wants them."""

    done: int
    closed: int


def read_causes(connections: Sequence[Connection]) -> list[FailureCause]:
    """Return the causes of open items, the most frequent first."""
    found: dict[tuple[str, str], FailureCause] = {}
    for connection in connections:
        for row in connection.execute(_CAUSES, {"most": MOST_COUNTED}).mappings():
            cause = FailureCause(**{str(name): value for name, value in row.items()})
            same = found.get((cause.kind, cause.code))
            found[cause.kind, cause.code] = cause if same is None else _both(same, cause)
    return sorted(found.values(), key=lambda each: (-each.items, each.kind, each.code))


def read_endings(connections: Sequence[Connection]) -> Endings:
    """Return how many items ended within a day, as far as they are counted."""
    done = closed = 0
    for connection in connections:
        for row in connection.execute(_ENDED, {"most": MOST_COUNTED}):
            done, closed = (done + row.items, closed) if row.is_done else (done, closed + row.items)
    return Endings(done, closed)


def read_items(
    connections: Sequence[Connection], kind: str, code: str, *, after: int | None, limit: int
) -> list[FailedRow]:
    """Return open items of a cause by their ids, those after the one with this id."""
    asked = {"kind": kind, "code": code, "after": after, "limit": limit}
    found = [FailedRow(*row) for each in connections for row in each.execute(_ITEMS, asked)]
    return sorted(found)[:limit]


def waiting_ids(
    connections: Sequence[Connection], kind: str, code: str, *, limit: int
) -> list[int]:
    """Return the ids of the oldest items of a cause that are not tried again already."""
    asked = {"kind": kind, "code": code, "limit": limit}
    found = [id_ for each in connections for id_ in each.execute(_WAITING, asked).scalars()]
    return sorted(found)[:limit]


def _both(one: FailureCause, other: FailureCause) -> FailureCause:
    return one._replace(
        items=one.items + other.items,
        under_way=one.under_way + other.under_way,
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
    )
