"""SQL of the stock files, made from the names of the register's columns.

The order of versions is that of `services/writer/sql/versions.py`, with one exception: a row of a
stock file with the treatment date and status of the stored row is not newer.
"""

from collections.abc import Collection

from sqlalchemy import TextClause, text

from services.writer.erasure.tombstones import IS_TOMBSTONE
from services.writer.sql.names import columns, excluded, fields_of
from services.writer.sql.versions import effective, is_covered_by, is_partial, is_plausible
from services.writer.stock.columns import StockCollection, key_of
from shared.sirene.records import Etablissement, UniteLegale

_FIELDS = {"unites_legales": fields_of(UniteLegale), "etablissements": fields_of(Etablissement)}


def _version(row: str, *, staged: bool = False) -> str:
    partial = f"{row}.statut_diffusion = 'P'" if staged else is_partial(row)
    return f"({effective(row)}, {partial})"


def _is_newer(collection: StockCollection, new: str, old: str, absent: Collection[str] = ()) -> str:
    """Return the condition; rows without a plausible date must differ as well.

    Most rows have the date and status of the stored row: they are told first, at little cost.
    """
    names = [name for name in _FIELDS[collection] if name not in absent]
    return f"""(
        ({new}.date_dernier_traitement, {new}.statut_diffusion)
          IS DISTINCT FROM ({old}.date_dernier_traitement, {old}.statut_diffusion)
          AND {_version(new, staged=True)} > {_version(old)}
        OR NOT {is_plausible(new)} AND {_version(new, staged=True)} > {_version(old)}
          AND ({columns(names, f"{new}.")}) IS DISTINCT FROM ({columns(names, f"{old}.")}))
    """


def _hides(new: str, old: str) -> str:
    """Return the condition that a P of the file hides the stored row: it was seen later."""
    return f"""({new}.statut_diffusion = 'P' AND {old}.statut_diffusion = 'O'
          AND {new}.fetched_at > {old}.fetched_at)"""


def _differs(collection: StockCollection, absent: Collection[str]) -> str:
    """Return the condition that `n` has other content than `o`, although INSEE dates both alike.

    A unit with an opposition has content of ours; a P has none that an O could be compared with;
    a period that begins after `:on` is in one of them only.
    """
    names = [name for name in _FIELDS[collection] if name not in absent]
    began = "AND coalesce(greatest(n.date_debut, o.date_debut) <= CAST(:on AS date), true)"
    return f"""(
        n.date_dernier_traitement = o.date_dernier_traitement
        AND n.statut_diffusion = o.statut_diffusion
        AND ({columns(names, "n.")}) IS DISTINCT FROM ({columns(names, "o.")})
        AND NOT EXISTS (SELECT FROM oppositions p WHERE p.siren = n.siren)
        {began if collection == "etablissements" else ""})
    """


def compare(collection: StockCollection, absent: Collection[str]) -> TextClause:
    """Count the rows of some blocks by what the register has of them, and by differing column."""
    key = key_of(collection)
    names = [name for name in _FIELDS[collection] if name not in absent and name != key]
    by_column = ", ".join(
        f"count(*) FILTER (WHERE d.differs AND n.{name} IS DISTINCT FROM o.{name}) AS {name}"
        for name in names
    )
    return text(f"""
        SELECT count(*) AS all_rows, count(o.{key}) AS stored_rows,
          count(*) FILTER (WHERE o.{key} IS NOT NULL AND d.is_newer) AS newer_rows,
          count(*) FILTER (WHERE NOT d.is_newer
            AND {_version("n", staged=True)} < {_version("o")}) AS older_rows,
          count(*) FILTER (WHERE d.differs) AS differing_rows, {by_column}
        FROM (
          SELECT {columns(_FIELDS[collection])}, CAST(:fetched_at AS timestamptz) AS fetched_at
          FROM stock_{collection}
          WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:last AS tid)) n
        LEFT JOIN {collection} o USING ({key})
        CROSS JOIN LATERAL (
          SELECT {_is_newer(collection, "n", "o", absent)} AS is_newer,
            {_differs(collection, absent)} AS differs
          OFFSET 0) d
    """)


def select_due(
    collection: StockCollection, absent: Collection[str], *, takes_equal: bool
) -> TextClause:
    """Collect the new, newer and hiding rows of some blocks of the staging table, one a key.

    `takes_equal` adds those that differ from the stored row of the same date.
    """
    key = key_of(collection)
    differing = f"OR {_differs(collection, absent)}" if takes_equal else ""
    return text(f"""
        CREATE TEMP TABLE stock_due ON COMMIT DROP AS
        SELECT DISTINCT ON (n.{key}) n.*
        FROM (
          SELECT {columns(_FIELDS[collection])}, ''::bytea AS content_hash,
            CAST(:fetched_at AS timestamptz) AS fetched_at
          FROM stock_{collection}
          WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:last AS tid)) n
        LEFT JOIN {collection} o USING ({key})
        WHERE o.{key} IS NULL OR {_is_newer(collection, "n", "o", absent)}
          OR {_hides("n", "o")} {differing}
        ORDER BY n.{key}, {_version("n", staged=True)} DESC
    """)


# The rows of the units are locked first, in the order of their keys, as everywhere.
LOCK_DUE_UNITES = text("""
    SELECT count(*) FROM (
      SELECT 1 FROM unites_legales
      WHERE siren IN (SELECT siren FROM stock_due)
      ORDER BY siren
      FOR NO KEY UPDATE) locked
""")


def find_turned(collection: StockCollection) -> TextClause:
    """Select the keys of rows that a P of the file hides: these people withdraw their data."""
    key = key_of(collection)
    return text(f"""
        SELECT n.{key} FROM stock_due n JOIN {collection} o USING ({key})
        WHERE n.statut_diffusion = 'P' AND o.statut_diffusion = 'O'
          AND ({_is_newer(collection, "n", "o")} OR {_hides("n", "o")})
        ORDER BY n.{key}
    """)


def bury_replaced(collection: StockCollection, absent: Collection[str]) -> TextClause:
    """Leave a tombstone of each stored P that an O of the file replaces."""
    key = key_of(collection)
    siret = "o.siret" if key == "siret" else "NULL"
    return text(f"""
        INSERT INTO erasures (siren, siret, date_dernier_traitement, fetched_at, reason)
        SELECT o.siren, {siret}, o.date_dernier_traitement, o.fetched_at, 'partial_diffusion'
        FROM stock_due n JOIN {collection} o USING ({key})
        WHERE {is_partial("o")} AND n.statut_diffusion = 'O'
          AND {_is_newer(collection, "n", "o", absent)}
          AND NOT EXISTS (SELECT FROM erasures t
            WHERE t.siren = o.siren AND t.siret IS NOT DISTINCT FROM {siret}
              AND {IS_TOMBSTONE} AND {is_covered_by("o", "t")})
    """)


def upsert(
    collection: StockCollection, absent: Collection[str], *, takes_equal: bool
) -> TextClause:
    """Store the newer rows of `stock_due`; select the counts of inserted and updated rows.

    The file says nothing of the columns that it lacks: they stay, unless the row is P.
    """
    key = key_of(collection)
    stored = (*_FIELDS[collection], "content_hash", "fetched_at")
    renewed = (*stored, "buried")
    updates = excluded(name for name in renewed if name != key and name not in absent)
    for name in sorted(absent):
        updates += f", {name} = CASE WHEN excluded.statut_diffusion <> 'P' THEN o.{name} END"
    equal = """OR excluded.date_dernier_traitement = o.date_dernier_traitement
            AND excluded.statut_diffusion = o.statut_diffusion"""
    return text(f"""
        WITH written AS (
          INSERT INTO {collection} AS o ({columns(stored)})
          SELECT {columns(stored)} FROM stock_due ORDER BY {key}
          ON CONFLICT ({key}) DO UPDATE SET {updates}, updated_at = now()
          WHERE {_is_newer(collection, "excluded", "o", absent)}
            {equal if takes_equal else ""}
          RETURNING o.xmax = 0 AS inserted)
        SELECT count(*) FILTER (WHERE inserted) AS inserted,
          count(*) FILTER (WHERE NOT inserted) AS updated
        FROM written
    """)


def count_vanished(collection: StockCollection) -> TextClause:
    """Count the stored rows that the file does not have."""
    key = key_of(collection)
    return text(f"""
        SELECT count(*) FROM {collection} o
        WHERE NOT EXISTS (SELECT FROM stock_{collection} n WHERE n.{key} = o.{key})
    """)


def drop_duplicates(collection: StockCollection) -> TextClause:
    """Delete staged rows but the newest one, the last of equals, of each key."""
    key = key_of(collection)
    return text(f"""
        DELETE FROM stock_{collection} WHERE ctid IN (
          SELECT ctid FROM (
            SELECT n.ctid, row_number() OVER (
              PARTITION BY {key} ORDER BY {_version("n", staged=True)} DESC, n.ctid DESC) AS rank
            FROM stock_{collection} n) ranked
          WHERE rank > 1)
    """)
