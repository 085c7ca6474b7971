"""Failed items tried again: establishments are asked from INSEE anew, avis become due anew.

Each function takes connections as those in `items` do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text

from services.operator.failures.items import is_id, require_all
from services.operator.output import joined
from shared.avis import RESET
from shared.db.locks import Lock, hold
from shared.errors import UserError
from shared.imports.orders import order_import
from shared.imports.scope import Scope
from shared.sirene.identifiers import is_siret

_OPEN = text("""
    SELECT id, kind, key, resolved_at IS NOT NULL AS is_resolved FROM failed_items
    WHERE CASE WHEN :by_id THEN id = ANY(CAST(:ids AS bigint[]))
      ELSE resolved_at IS NULL AND (CAST(:code AS text) IS NULL OR code = :code) END
    ORDER BY id
""")
# Oldest first. An item without a siret is left out: only its whole window can be imported again.
_DUE = text("""
    SELECT id, kind, key, false AS is_resolved FROM failed_items
    WHERE resolved_at IS NULL AND next_attempt_at <= now()
      AND key ~ CASE kind WHEN 'write' THEN '^[0-9]{14}$' ELSE '^[0-9]{1,18}$' END
    ORDER BY next_attempt_at, id LIMIT :limit
""")
# Skips items that writer or reviewer holds at this moment: they are about to be resolved, or to
# fail anew.
_SCHEDULE = text("""
    WITH asked AS (
      SELECT id FROM failed_items
      WHERE id = ANY(CAST(:ids AS bigint[])) AND resolved_at IS NULL
      ORDER BY id FOR UPDATE SKIP LOCKED)
    UPDATE failed_items f SET
      retries = retries + CASE WHEN :counts THEN 1 ELSE 0 END,
      next_attempt_at = now() + CASE WHEN NOT :counts THEN interval '1 hour'
        ELSE CASE retries WHEN 0 THEN interval '4 hours' WHEN 1 THEN interval '24 hours'
          ELSE interval '7 days' END END
    FROM asked WHERE f.id = asked.id
""")
# The text is no longer wanted: that is no success, and leaves nothing to do.
_CLOSE = text("""
    WITH idle AS (
      SELECT f.id, CASE
          WHEN a.id IS NULL THEN 'the avis is gone'
          WHEN o.siren IS NOT NULL THEN 'opposition'
          WHEN a.outcome <> 'rejected' THEN 'the avis is ' || a.outcome
          ELSE 'the page is closed' END AS because
      FROM failed_items f
      LEFT JOIN avis a ON a.id = CASE WHEN f.key ~ '^[0-9]{1,18}$' THEN f.key::bigint END
      LEFT JOIN pro_localisations p ON p.id = a.pro_localisation_id
      LEFT JOIN oppositions o ON o.siren = a.siren
      WHERE f.kind = 'review' AND f.resolved_at IS NULL AND f.key ~ '^[0-9]{1,18}$'
        AND (CAST(:ids AS bigint[]) IS NULL OR f.id = ANY(CAST(:ids AS bigint[])))
        AND (a.id IS NULL OR a.outcome NOT IN ('pending', 'accepted', 'rejected')
          OR a.outcome = 'rejected' AND (o.siren IS NOT NULL OR p.status IS DISTINCT FROM 'open'))
      ORDER BY f.id FOR UPDATE OF f SKIP LOCKED)
    UPDATE failed_items f SET resolved_at = now(), closed_because = idle.because
    FROM idle WHERE f.id = idle.id
""")
_UNDER_WAY = text("""
    SELECT DISTINCT s FROM import_runs, unnest(sirets) AS s
    WHERE status IN ('pending', 'running') AND s = ANY(:sirets)
""")
_MAKE_DUE = text(f"""
    WITH due AS (
      SELECT a.id FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
      WHERE a.id = ANY(CAST(:ids AS bigint[])) AND a.outcome = 'rejected' AND p.status = 'open'
        AND NOT EXISTS (SELECT FROM oppositions o WHERE o.siren = a.siren)
      ORDER BY a.id FOR UPDATE OF a)
    UPDATE avis SET outcome = 'pending', {RESET}
    FROM due WHERE avis.id = due.id
    RETURNING avis.id
""")
_ALREADY_DUE = text("""
    SELECT id FROM avis WHERE id = ANY(CAST(:ids AS bigint[])) AND outcome = 'pending'
""")


@dataclass(frozen=True)
class Retry:
    """Ids of the items that were to be tried again, by what became of them.

    `run_id` is the import that fetches the establishments of `fetched`; None where it is empty.
    """

    run_id: int | None = None
    fetched: list[int] = field(default_factory=list)
    under_way: list[int] = field(default_factory=list)
    reviewed: list[int] = field(default_factory=list)
    no_longer_due: list[int] = field(default_factory=list)
    without_siret: list[int] = field(default_factory=list)


def retry(connections: Sequence[Connection], ids: Sequence[int], *, code: str | None) -> Retry:
    """Order the work of these items again, else of the open ones of the code, else of all.

    Items stay open until writer or reviewer stores their result; the ones that are no longer due
    are closed. Raises UserError, and orders nothing, where an id is unknown or resolved.
    """
    # The items stay unlocked: writer and reviewer lock them last, after the rows that are locked
    # here.
    hold(connections[0], Lock.RETRIES)
    wanted = {"by_id": bool(ids), "ids": list(ids), "code": code}
    chosen = [row for each in connections for row in each.execute(_OPEN, wanted)]
    require_all(set(ids), {row.id for row in chosen})
    if resolved := [row.id for row in chosen if row.is_resolved]:
        raise UserError(f"resolved already: {joined(resolved)}")
    return _retry(connections, chosen)


def retry_due(connections: Sequence[Connection], *, limit: int) -> Retry:
    """Order the work of items again whose time has come: after 1, 4 and 24 hours, then weekly.

    `limit` bounds the items of each database.
    """
    hold(connections[0], Lock.RETRIES)
    chosen = [row for each in connections for row in each.execute(_DUE, {"limit": limit})]
    return _retry(connections, chosen)


def close_no_longer_due(connections: Sequence[Connection], ids: Sequence[int] | None = None) -> int:
    """Close review items whose avis is no longer wanted; return how many.

    `ids` None looks at all items. Closed items keep the reason, and do not count as resolved.
    """
    these = {"ids": None if ids is None else list(ids)}
    return sum(each.execute(_CLOSE, these).rowcount for each in connections)


def _retry(connections: Sequence[Connection], chosen: Sequence[Row[Any]]) -> Retry:
    by_siret = {row.key: row.id for row in chosen if row.kind == "write" and is_siret(row.key)}
    by_avis = {int(row.key): row.id for row in chosen if row.kind == "review" and is_id(row.key)}
    placed = {*by_siret.values(), *by_avis.values()}
    run_id, requested = _request(connections[0], by_siret)
    due, idle = _make_due(connections, by_avis)
    under_way = sorted(set(by_siret.values()).difference(requested))
    close_no_longer_due(connections, idle)
    for connection in connections:
        connection.execute(_SCHEDULE, {"ids": [*requested, *due, *idle], "counts": True})
        connection.execute(_SCHEDULE, {"ids": under_way, "counts": False})
    return Retry(
        run_id=run_id,
        fetched=requested,
        under_way=under_way,
        reviewed=due,
        no_longer_due=idle,
        without_siret=[row.id for row in chosen if row.id not in placed],
    )


def _request(connection: Connection, by_siret: dict[str, int]) -> tuple[int | None, list[int]]:
    under_way = set(connection.execute(_UNDER_WAY, {"sirets": list(by_siret)}).scalars())
    sirets = sorted(by_siret.keys() - under_way)
    if not sirets:
        return None, []
    run_id = order_import(connection, Scope(sirets=sirets))
    return run_id, sorted(by_siret[siret] for siret in sirets)


def _make_due(
    connections: Sequence[Connection], by_avis: dict[int, int]
) -> tuple[list[int], list[int]]:
    """Return items whose avis is due now, then items whose avis is not; `by_avis` maps to items."""
    avis = {"ids": list(by_avis)}
    due: set[int] = set()
    for connection in connections:
        due |= {*connection.execute(_MAKE_DUE, avis).scalars()}
        due |= {*connection.execute(_ALREADY_DUE, avis).scalars()}
    return (
        sorted(by_avis[each] for each in due),
        sorted(by_avis[each] for each in by_avis.keys() - due),
    )
