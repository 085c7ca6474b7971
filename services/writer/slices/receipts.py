"""The receipt of a slice, the counters of its INSEE page and batch, the end of batch and run."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, text

from services.writer.erasure.tombstones import withheld
from services.writer.slices.decode import Fault
from services.writer.sql.prepared import Prepared
from shared.errors import SirenadeError
from shared.imports.listed import listed
from shared.messages import WriteSlice

OUTCOMES = ("inserted", "updated", "unchanged", "failed")

# It waits for another delivery of the same slice that is being written at this moment.
_RECEIVE = Prepared(
    "receive",
    """
    INSERT INTO slice_receipts (batch_id, page, fetch_id, slice, records, sirets)
    SELECT batch_id, number, fetch_id, CAST(:slice AS int), CAST(:records AS int),
      string_to_array(:sirets, ' ')
    FROM import_pages
    WHERE batch_id = :batch_id AND number = :page AND fetch_id = :fetch_id
      AND EXISTS (SELECT FROM import_batches
        WHERE id = import_pages.batch_id AND status <> 'cancelled')
    ON CONFLICT DO NOTHING
    RETURNING 1
    """,
)
# The receipt holds no record: nothing of the slice is stored, and it is counted once.
_DROP = text("""
    WITH cancelled AS (
      SELECT id FROM import_batches WHERE id = :batch_id AND status = 'cancelled'),
    receipt AS (
      INSERT INTO slice_receipts (batch_id, page, fetch_id, slice, records, sirets)
      SELECT id, :page, :fetch_id, :slice, 0, '{}' FROM cancelled
      ON CONFLICT DO NOTHING RETURNING 1),
    page AS (
      UPDATE import_pages SET slices_done = slices_done + 1, moved_at = now()
      WHERE batch_id = :batch_id AND number = :page AND fetch_id = :fetch_id
        AND EXISTS (SELECT FROM receipt)
      RETURNING 1),
    batch AS (
      UPDATE import_batches SET dropped = dropped + :records
      WHERE id = :batch_id AND EXISTS (SELECT FROM page))
    SELECT EXISTS (SELECT FROM cancelled)
""")
_IS_CURRENT = text("""
    SELECT EXISTS (SELECT FROM import_pages
      WHERE batch_id = :batch_id AND number = :page AND fetch_id = :fetch_id)
""")
_FAIL = text("""
    INSERT INTO failed_items AS f (kind, key, siren, batch_id, payload, code, message)
    SELECT 'write', n.key, n.siren, :batch_id, n.payload, n.code, n.message
    FROM unnest(CAST(:keys AS text[]), CAST(:sirens AS text[]), CAST(:payloads AS bytea[]),
      CAST(:codes AS text[]), CAST(:messages AS text[])) AS n (key, siren, payload, code, message)
    ORDER BY n.key
    ON CONFLICT (kind, key) WHERE resolved_at IS NULL DO UPDATE SET
      siren = excluded.siren, batch_id = excluded.batch_id, payload = excluded.payload,
      code = excluded.code, message = excluded.message, attempts = f.attempts + 1
""")
_RESOLVE = text("""
    UPDATE failed_items SET resolved_at = now()
    FROM (
      SELECT id FROM failed_items
      WHERE kind = 'write' AND key = ANY(string_to_array(:sirets, ' ')) AND resolved_at IS NULL
      ORDER BY id FOR UPDATE) written
    WHERE failed_items.id = written.id
""")
# The INSEE page is locked first, then the batch, as in the fetcher. The second of two last slices
# waits at the batch, and then sees the receipt of the first.
_COUNT = Prepared(
    "count_slice",
    """
    WITH page AS (
      UPDATE import_pages SET slices_done = slices_done + 1, moved_at = now()
      WHERE batch_id = :batch_id AND number = :page AND fetch_id = :fetch_id
      RETURNING slices_done >= slices_expected AS is_done)
    UPDATE import_batches SET
      received = received + :records,
      inserted = inserted + :inserted,
      updated = updated + :updated,
      unchanged = unchanged + :unchanged,
      failed = failed + :failed
    WHERE id = :batch_id AND EXISTS (SELECT FROM page)
    RETURNING (SELECT is_done FROM page)
    """,
)
_IS_WHOLE = Prepared(
    "is_whole",
    """
    SELECT b.run_id FROM import_batches b
    WHERE b.id = :batch_id AND b.status IN ('pending', 'running')
      AND EXISTS (SELECT FROM import_pages WHERE batch_id = b.id AND is_last)
      AND NOT EXISTS (SELECT FROM import_pages WHERE batch_id = b.id
        AND (slices_expected IS NULL OR slices_done < slices_expected))
    """,
)
_ACTIVITE, _ETAT = (listed(name, "e") for name in ("activite_principale", "etat_administratif"))
# A siret beyond the last one received is no surplus where a limit ended the batch: it was not asked
# for.
SETS = f"""
    received AS MATERIALIZED (
      SELECT DISTINCT unnest(r.sirets) AS siret
      FROM slice_receipts r
      JOIN import_pages p ON p.batch_id = r.batch_id AND p.number = r.page
        AND p.fetch_id = r.fetch_id
      WHERE r.batch_id = :batch_id),
    seen AS MATERIALIZED (
      SELECT r.siret, e.siret IS NOT NULL AS is_stored
      FROM received r LEFT JOIN etablissements e USING (siret)),
    in_window AS (
      SELECT e.siret FROM etablissements e JOIN import_batches b ON b.id = :batch_id
      WHERE b.sirets IS NULL
        AND coalesce(b.departement, b.code_commune, b.activite_principale, b.etat_administratif,
          b.siret_from, b.siret_to) IS NOT NULL
        AND (b.departement IS NULL OR e.departement = b.departement)
        AND (b.code_commune IS NULL OR e.code_commune = b.code_commune)
        AND (b.activite_principale IS NULL
          OR b.activite_principale IN ({_ACTIVITE}, e.activite_principale_naf25))
        AND (b.etat_administratif IS NULL OR {_ETAT} = b.etat_administratif)
        AND (b.siret_from IS NULL OR e.siret >= b.siret_from)
        AND (b.siret_to IS NULL OR e.siret <= b.siret_to)
        AND (b.row_limit IS NULL OR e.siret <= {{last_received}})
      UNION ALL
      SELECT e.siret FROM import_batches b CROSS JOIN unnest(b.sirets) AS asked (siret)
        JOIN etablissements e ON e.siret = asked.siret
      WHERE b.id = :batch_id
        AND (b.row_limit IS NULL OR e.siret <= {{last_received}})),
    surplus AS (
      -- A set operation, never a join: before the first ANALYZE the planner expects one row here,
      -- and would compare each stored row with each received one.
      SELECT siret FROM in_window EXCEPT SELECT siret FROM received)
"""
STATE_SETS = """
    UPDATE import_batches SET
      status = 'complete',
      completed_at = now(),
      received_distinct = {received_distinct},
      stored = {stored},
      missing_sirets = {missing},
      -- A treatment window states no surplus: a record that INSEE treated again has left it.
      surplus_sirets = CASE WHEN collection IS NULL THEN {surplus} END
    WHERE id = :batch_id
"""
OF_SETS = {
    "received_distinct": "(SELECT count(*) FROM seen)",
    "stored": "(SELECT count(*) FROM seen WHERE is_stored)",
    "missing": "ARRAY(SELECT siret FROM seen WHERE NOT is_stored ORDER BY siret)",
    "surplus": "ARRAY(SELECT siret FROM surplus ORDER BY siret)",
}
_SETS = SETS.format(last_received="(SELECT max(siret) FROM received)")
_CLOSE_BATCH = text(f"WITH {_SETS} {STATE_SETS.format(**OF_SETS)}")
_LOCK_RUN = text("SELECT 1 FROM import_runs WHERE id = :run_id FOR NO KEY UPDATE")
_CLOSE_RUN = text("""
    UPDATE import_runs SET
      status = CASE WHEN EXISTS (SELECT FROM import_batches
        WHERE run_id = :run_id AND status = 'failed') THEN 'failed' ELSE 'complete' END,
      error = (SELECT min(error) FROM import_batches WHERE run_id = :run_id AND status = 'failed'),
      completed_at = now()
    WHERE id = :run_id AND status IN ('pending', 'running')
      AND NOT EXISTS (SELECT FROM import_batches
        WHERE run_id = :run_id AND status IN ('pending', 'running'))
""")


Close = Callable[[Connection, int], None]
"""Closes a batch and states what became of its records, as sets of sirets."""


class Superseded(SirenadeError):
    """Raised when another GET of the INSEE page counts now: nothing of this slice is written."""


def place_of(message: WriteSlice) -> dict[str, int]:
    """Return the parameters that name the GET of the slice's INSEE page."""
    return {"batch_id": message.batch_id, "page": message.page, "fetch_id": message.fetch_id}


def receive(
    connection: Connection, message: WriteSlice, *, records: int, sirets: Sequence[str]
) -> bool:
    """Leave the receipt of the slice; return False where there is one, or the run was cancelled.

    Raises Superseded.
    """
    place = place_of(message)
    receipt = {"slice": message.slice, "records": records, "sirets": " ".join(sirets)}
    if _RECEIVE.run(connection, place | receipt).one_or_none() is not None:
        return True
    if not connection.execute(_IS_CURRENT, place).scalar_one():
        raise Superseded
    return False


def drop(connection: Connection, message: WriteSlice, *, records: int) -> bool:
    """Leave a receipt of a slice whose run was cancelled; return False where it was not."""
    slice_ = {**place_of(message), "slice": message.slice, "records": records}
    return bool(connection.scalar(_DROP, slice_))


def keep_faults(connection: Connection, message: WriteSlice, faults: Sequence[Fault]) -> None:
    """Keep the faults as failed items; the last one where several have the same key."""
    items = list({fault.key: fault for fault in faults}.values())
    silenced = withheld(
        connection,
        sirens=[item.siren for item in items if item.siren and item.payload],
        sirets=[item.key for item in items if item.siren and item.payload],
        with_purged=True,
    )
    connection.execute(
        _FAIL,
        {
            "batch_id": message.batch_id,
            "keys": [item.key for item in items],
            "sirens": [item.siren for item in items],
            "payloads": [
                None if item.key in silenced or item.siren in silenced else item.payload
                for item in items
            ],
            "codes": [item.code for item in items],
            "messages": [item.message for item in items],
        },
    )


def resolve_faults(connection: Connection, sirets: Sequence[str]) -> None:
    """Resolve the failed items of the sirets, whichever message had brought them."""
    connection.execute(_RESOLVE, {"sirets": " ".join(sirets)})


def count(
    connection: Connection, message: WriteSlice, records: int, outcomes: Mapping[str, int]
) -> bool:
    """Count the slice on its INSEE page and on the batch; `outcomes` has all of `OUTCOMES`.

    Returns whether it was the last slice of its INSEE page: no other can be the last of the batch.
    Raises Superseded where the INSEE page was fetched again since the receipt.
    """
    counters = {**place_of(message), "records": records, **outcomes}
    counted = _COUNT.run(connection, counters).one_or_none()
    if counted is None:
        raise Superseded
    return bool(counted[0])


def close_batch(connection: Connection, batch_id: int) -> None:
    """Close a batch whose records are all in this database."""
    connection.execute(_CLOSE_BATCH, {"batch_id": batch_id})


def close_if_whole(connection: Connection, batch_id: int, close: Close) -> bool:
    """Close the batch after its last slice, and its run after its last batch; say if it closed."""
    run_id = _IS_WHOLE.run(connection, {"batch_id": batch_id}).scalar_one_or_none()
    if run_id is None:
        return False
    close(connection, batch_id)
    # Two batches that end together would each see the other one open.
    connection.execute(_LOCK_RUN, {"run_id": run_id})
    connection.execute(_CLOSE_RUN, {"run_id": run_id})
    return True
