"""What could not be written or reviewed: looked at, tried again, forgotten once resolved.

Items live in the shard of their unit, and their ids are unique over all shards. Each function
takes the connection of the control database first, then those of the shards that are elsewhere.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, text

from services.operator.printing import joined
from shared.avis import RESET
from shared.db.locks import Lock, hold
from shared.errors import UserError
from shared.imports.orders import order_import
from shared.imports.scope import Scope
from shared.sirene.identifiers import is_siren, is_siret, siren_of

KINDS = ("write", "review")

_CAUSES = text("""
    SELECT kind, code, count(*) AS items, min(created_at) AS first_at, max(created_at) AS last_at,
           max(attempts) AS attempts, (array_agg(key ORDER BY id))[1] AS example
    FROM failed_items WHERE resolved_at IS NULL
    GROUP BY kind, code ORDER BY items DESC, kind, code
""")
_ITEMS = text("""
    SELECT f.id, f.kind, f.key, f.siren, f.code, f.message, f.attempts, f.created_at,
           f.retries,
           CASE WHEN f.resolved_at IS NULL AND (f.kind = 'review' OR f.key ~ '^[0-9]{14}$')
             THEN f.next_attempt_at END AS next_attempt_at,
           f.resolved_at, f.closed_because, f.batch_id,
           e.fetched_at AS stored_version_of,
           a.siret AS avis_siret, a.outcome AS avis_outcome, a.attempts AS avis_attempts,
           octet_length(f.payload) AS payload_bytes, f.payload
    FROM failed_items f
    LEFT JOIN etablissements e ON f.kind = 'write' AND e.siret = f.key
    LEFT JOIN avis a ON a.id = CASE WHEN f.kind = 'review' AND f.key ~ '^[0-9]{1,18}$'
      THEN f.key::bigint END
    WHERE f.id = ANY(CAST(:ids AS bigint[]))
    ORDER BY f.id
""")
_BATCHES = text("""
    SELECT id AS batch_id, run_id, query FROM import_batches
    WHERE id = ANY(CAST(:ids AS bigint[]))
""")
_OF_KINDS = text("""
    SELECT id FROM failed_items WHERE kind = ANY(:kinds) AND resolved_at IS NULL
    ORDER BY id LIMIT :limit
""")
_IS_WITHHELD = text("""
    SELECT EXISTS (SELECT FROM oppositions WHERE siren = :siren)
      OR EXISTS (SELECT FROM unites_legales WHERE siren = :siren AND statut_diffusion <> 'O')
      OR EXISTS (SELECT FROM etablissements WHERE siren = :siren AND statut_diffusion <> 'O')
""")
_OPEN = text("""
    SELECT id, kind, key, resolved_at IS NOT NULL AS is_resolved FROM failed_items
    WHERE CASE WHEN :by_id THEN id = ANY(CAST(:ids AS bigint[]))
      ELSE resolved_at IS NULL AND (CAST(:code AS text) IS NULL OR code = :code) END
    ORDER BY id
""")
# Oldest first; what has no siret can only be imported again with its whole window.
_DUE = text("""
    SELECT id, kind, key, false AS is_resolved FROM failed_items
    WHERE resolved_at IS NULL AND next_attempt_at <= now()
      AND key ~ CASE kind WHEN 'write' THEN '^[0-9]{14}$' ELSE '^[0-9]{1,18}$' END
    ORDER BY next_attempt_at, id LIMIT :limit
""")
# Not one that writer or reviewer holds at this moment: it is about to be resolved, or to fail anew.
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
# Nobody wants the text any more: no success, and nothing that is left to do.
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
""")  # noqa: S608  # a constant
_ALREADY_DUE = text("""
    SELECT id FROM avis WHERE id = ANY(CAST(:ids AS bigint[])) AND outcome = 'pending'
""")
_PURGE = text("""
    DELETE FROM failed_items WHERE resolved_at < now() - make_interval(days => :days)
""")


@dataclass(frozen=True)
class Retry:
    """What became of each item that was to be tried again, by its id."""

    run_id: int | None = None
    """The import that fetches the establishments of `fetched` again; None where there are none."""
    fetched: list[int] = field(default_factory=list)
    under_way: list[int] = field(default_factory=list)
    reviewed: list[int] = field(default_factory=list)
    no_longer_due: list[int] = field(default_factory=list)
    without_siret: list[int] = field(default_factory=list)


def causes(connections: Sequence[Connection]) -> list[dict[str, Any]]:
    """Return kinds and codes with their numbers, the most frequent first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for connection in connections:
        for row in connection.execute(_CAUSES).mappings():
            cause, same = dict(row), found.get((row["kind"], row["code"]))
            found[cause["kind"], cause["code"]] = cause if same is None else _both(same, cause)
    return sorted(found.values(), key=lambda each: (-each["items"], each["kind"], each["code"]))


def _both(cause: dict[str, Any], same: dict[str, Any]) -> dict[str, Any]:
    return cause | {
        "items": cause["items"] + same["items"],
        "first_at": min(cause["first_at"], same["first_at"]),
        "last_at": max(cause["last_at"], same["last_at"]),
        "attempts": max(cause["attempts"], same["attempts"]),
    }


def items(
    connections: Sequence[Connection], wanted: Iterable[str], *, limit: int, with_payload: bool
) -> list[dict[str, object]]:
    """Return items by id, and the first open ones of each kind.

    Raises UserError for what is neither an id nor a kind, and for an id that is nobody's.
    """
    named = set(wanted)
    strange = sorted(each for each in named if each not in KINDS and not _is_id(each))
    if strange:
        raise UserError(f"{strange[0]!r} is neither an id nor a kind: {joined(KINDS)}")
    kinds = [kind for kind in KINDS if kind in named]
    ids = {int(each) for each in named if each not in KINDS}
    shown: list[dict[str, Any]] = []
    for connection in connections:
        listed = connection.execute(_OF_KINDS, {"kinds": kinds, "limit": limit}).scalars()
        rows = connection.execute(_ITEMS, {"ids": sorted(ids.union(listed))}).mappings()
        shown += [_shown(connection, row, with_payload=with_payload) for row in rows.all()]
    _require_all(ids, {item["id"] for item in shown})
    return _with_batches(connections[0], shown)


def _with_batches(control: Connection, shown: list[dict[str, Any]]) -> list[dict[str, object]]:
    found = control.execute(_BATCHES, {"ids": [item["batch_id"] for item in shown]}).mappings()
    batches = {row["batch_id"]: dict(row) for row in found}
    nowhere = {"run_id": None, "query": None}
    return [item | batches.get(item["batch_id"], nowhere) for item in shown]


def retry(connections: Sequence[Connection], ids: Sequence[int], *, code: str | None) -> Retry:
    """Ask for the work again: of these items, else of the open ones of the code, else of all.

    Nothing is resolved here but what is no longer due: writer and reviewer do that, with what
    they store. Raises UserError, and asks for nothing, where an id is unknown or resolved.
    """
    # The items themselves stay unlocked: writer and reviewer lock them last, after the rows that
    # are locked here.
    hold(connections[0], Lock.RETRIES)
    wanted = {"by_id": bool(ids), "ids": list(ids), "code": code}
    chosen = [row for each in connections for row in each.execute(_OPEN, wanted)]
    _require_all(set(ids), {row.id for row in chosen})
    if resolved := [row.id for row in chosen if row.is_resolved]:
        raise UserError(f"resolved already: {joined(resolved)}")
    return _retry(connections, chosen)


def retry_due(connections: Sequence[Connection], *, limit: int) -> Retry:
    """Ask for the work again whose time has come: after 1, 4 and 24 hours, then every week.

    Of each database at most `limit` items.
    """
    hold(connections[0], Lock.RETRIES)
    chosen = [row for each in connections for row in each.execute(_DUE, {"limit": limit})]
    return _retry(connections, chosen)


def close_no_longer_due(connections: Sequence[Connection], ids: Sequence[int] | None = None) -> int:
    """Close review items, of these or of all, whose avis nobody wants any more; say how many.

    They keep the reason, and do not count as resolved.
    """
    these = {"ids": None if ids is None else list(ids)}
    return sum(each.execute(_CLOSE, these).rowcount for each in connections)


def _retry(connections: Sequence[Connection], chosen: Sequence[Row[Any]]) -> Retry:
    by_siret = {row.key: row.id for row in chosen if row.kind == "write" and is_siret(row.key)}
    by_avis = {int(row.key): row.id for row in chosen if row.kind == "review" and _is_id(row.key)}
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


def purge(connections: Sequence[Connection], *, older_than_days: int) -> int:
    """Delete what was resolved so long ago; open items stay whatever their age."""
    return sum(each.execute(_PURGE, {"days": older_than_days}).rowcount for each in connections)


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
    """The items whose avis are due now, whoever made them so, and those whose are no more."""
    avis = {"ids": list(by_avis)}
    due: set[int] = set()
    for connection in connections:
        due |= {*connection.execute(_MAKE_DUE, avis).scalars()}
        due |= {*connection.execute(_ALREADY_DUE, avis).scalars()}
    return (
        sorted(by_avis[each] for each in due),
        sorted(by_avis[each] for each in by_avis.keys() - due),
    )


def _shown(connection: Connection, row: RowMapping, *, with_payload: bool) -> dict[str, object]:
    shown = {str(name): value for name, value in row.items() if name != "payload"}
    if with_payload and row["payload"] is not None:
        shown["payload"] = _payload(connection, row["siren"], bytes(row["payload"]))
    return shown


def _payload(connection: Connection, siren: str | None, payload: bytes) -> object:
    """The record, or why it is withheld: a unit may have withdrawn since it was kept."""
    record: object = json.loads(payload)
    owner = siren or _siren_of(record)
    if owner is None:
        return "withheld: the record does not say whose it is"
    if connection.execute(_IS_WITHHELD, {"siren": owner}).scalar_one():
        return "withheld: its unit does not want to be shown"
    return record


def _siren_of(record: object) -> str | None:
    if not isinstance(record, dict):
        return None
    siren, siret = record.get("siren"), record.get("siret")
    if isinstance(siren, str) and is_siren(siren):
        return siren
    return siren_of(siret) if isinstance(siret, str) and is_siret(siret) else None


def _is_id(word: str) -> bool:
    return word.isascii() and word.isdigit()


def _require_all(ids: set[int], found: set[int]) -> None:
    if unknown := sorted(ids - found):
        raise UserError(f"no such failed item: {joined(unknown)}")
