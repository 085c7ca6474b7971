"""Failed items: rows that could not be written, texts that could not be reviewed.

An item lives in the shard of its unit; its id is unique over all shards. Each function takes the
connection of the control database first, then one for each shard in another database.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from services.operator.output import joined
from shared.errors import UserError
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
_PURGE = text("""
    DELETE FROM failed_items WHERE resolved_at < now() - make_interval(days => :days)
""")


def list_causes(connections: Sequence[Connection]) -> list[dict[str, Any]]:
    """Return one row for each kind and code of open items, the most frequent first."""
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


def show(
    connections: Sequence[Connection], wanted: Iterable[str], *, limit: int, with_payload: bool
) -> list[dict[str, object]]:
    """Return these items, and the first open ones of each kind that is named.

    `limit` bounds each kind in each database. Raises UserError where a word is neither an id nor
    a kind, and where an id is unknown.
    """
    named = set(wanted)
    strange = sorted(each for each in named if each not in KINDS and not is_id(each))
    if strange:
        raise UserError(f"{strange[0]!r} is neither an id nor a kind: {joined(KINDS)}")
    kinds = [kind for kind in KINDS if kind in named]
    ids = {int(each) for each in named if each not in KINDS}
    shown: list[dict[str, Any]] = []
    for connection in connections:
        listed = connection.execute(_OF_KINDS, {"kinds": kinds, "limit": limit}).scalars()
        rows = connection.execute(_ITEMS, {"ids": sorted(ids.union(listed))}).mappings()
        shown += [_shown(connection, row, with_payload=with_payload) for row in rows.all()]
    require_all(ids, {item["id"] for item in shown})
    return _with_batches(connections[0], shown)


def _with_batches(control: Connection, shown: list[dict[str, Any]]) -> list[dict[str, object]]:
    found = control.execute(_BATCHES, {"ids": [item["batch_id"] for item in shown]}).mappings()
    batches = {row["batch_id"]: dict(row) for row in found}
    nowhere = {"run_id": None, "query": None}
    return [item | batches.get(item["batch_id"], nowhere) for item in shown]


def purge(connections: Sequence[Connection], *, older_than_days: int) -> int:
    """Delete items that were resolved that long ago; open items stay whatever their age."""
    return sum(each.execute(_PURGE, {"days": older_than_days}).rowcount for each in connections)


def _shown(connection: Connection, row: RowMapping, *, with_payload: bool) -> dict[str, object]:
    shown = {str(name): value for name, value in row.items() if name != "payload"}
    if with_payload and row["payload"] is not None:
        shown["payload"] = _payload(connection, row["siren"], bytes(row["payload"]))
    return shown


def _payload(connection: Connection, siren: str | None, payload: bytes) -> object:
    """Return the record, or why it is withheld: its unit may have withdrawn since."""
    record: object = json.loads(payload)
    owner = siren or _siren_of(record)
    if owner is None:
        return "withheld: the record names no unit"
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


def is_id(word: str) -> bool:
    return word.isascii() and word.isdigit()


def require_all(ids: set[int], found: set[int]) -> None:
    """Raises UserError where an id was not found."""
    if unknown := sorted(ids - found):
        raise UserError(f"no such failed item: {joined(unknown)}")
