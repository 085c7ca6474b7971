"""The erasure of all that was made of a person's records, in the caller's transaction.

`shared.db.personal_columns` lists the columns that may hold people's data.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import Connection, Table, text

from services.writer.erasure import places, purged
from services.writer.erasure.letter_records import Silenced
from services.writer.erasure.purged import Purged
from services.writer.erasure.tombstones import (
    HIDDEN_HASH,
    IS_TOMBSTONE,
    is_person,
    nulled,
)
from services.writer.sql.pieces import fit_in_one, in_pieces
from services.writer.sql.prepared import Prepared
from services.writer.sql.versions import is_covered_by, is_partial
from shared.avis import RESET_WITHOUT_TEXT
from shared.db import lexicon
from shared.db.tables import metadata
from shared.sirene.records import PERSONAL_ETABLISSEMENT_FIELDS, SIGN_FIELDS, STREET_FIELDS

_NOBODY = Silenced()
_LETTERS, _WORDS = "dead_letters", "search_lexemes"


def _mask(table: Table) -> str:
    """Return the statement that empties rows that are opposed, or older than the P of their unit.

    The own row of a P establishment is as INSEE masked it; its history may be older.
    """
    columns = [name for name in PERSONAL_ETABLISSEMENT_FIELDS if name in table.columns]
    signs = [name for name in SIGN_FIELDS if name in columns]
    streets = [name for name in STREET_FIELDS if name in columns]
    whole = "t.siret IN (SELECT siret FROM concerned WHERE whole)"
    filled = [f"num_nonnulls({', '.join(signs)}) > 0 AND ({whole}) IS TRUE"]
    assignments = [nulled(signs, where=whole, row="t.")]
    if streets:
        filled.append(f"num_nonnulls({', '.join(streets)}) > 0")
        assignments.append(nulled(streets))
    hidden = "opposed OR older"
    if "content_hash" in table.columns:
        assignments.append(f"content_hash = {HIDDEN_HASH.format('t')}")
    else:
        hidden = f"{hidden} OR partial"
    # One array, and no join with it: each row of a join would read the whole array again.
    return f"""
      UPDATE {table.name} t SET {", ".join(assignments)}
      WHERE t.siret = ANY (ARRAY(SELECT siret FROM concerned WHERE {hidden}))
        AND ({" OR ".join(filled)})
      RETURNING t.siren
    """


_MASKED_TABLES = tuple(
    table
    for table in metadata.sorted_tables
    if "siret" in table.columns and any(name in table.columns for name in SIGN_FIELDS)
)
_MASKED_ROWS = " ".join(
    f"UNION ALL SELECT '{table.name}', siren, NULL FROM masked_{table.name}"
    for table in _MASKED_TABLES
)

# Every plan looks the elements of an array up in an index. A join reads whole tables for a
# few rows, where the tables were never analysed.
_PARTS = (
    f"""
    texts AS (
      UPDATE avis SET
        outcome = CASE WHEN EXISTS (SELECT FROM etablissements e
            WHERE e.siret = avis.siret AND e.statut_diffusion = 'O' AND 'O' = (
              SELECT u.statut_diffusion FROM unites_legales u WHERE u.siren = e.siren))
          THEN 'skipped_opposition' ELSE 'skipped_non_diffusible' END,
        facts_hash = '', {RESET_WITHOUT_TEXT}
      FROM (
        SELECT id FROM avis
        WHERE (siren = ANY(:sirens) OR siret = ANY(:sirets))
          AND (text IS NOT NULL OR facts_hash <> ''
            OR outcome NOT IN ('skipped_non_diffusible', 'skipped_opposition'))
        ORDER BY id FOR UPDATE) found
      WHERE avis.id = found.id
      RETURNING avis.siren, avis.id)
    """,
    """
    attempts AS (
      DELETE FROM avis_attempts
      WHERE siren = ANY(:sirens)
        OR avis_id = ANY (ARRAY(SELECT id FROM avis WHERE siret = ANY(:sirets)))
      RETURNING siren)
    """,
    """
    reviews AS (
      DELETE FROM sources WHERE siren = ANY(:sirens) OR siret = ANY(:sirets) RETURNING siren)
    """,
    """
    pages AS (
      SELECT id, siren FROM pro_localisations
      WHERE (siren = ANY(:sirens) OR siret = ANY(:sirets)) AND nom IS NOT NULL
      ORDER BY siret FOR UPDATE)
    """,
    f"""
    concerned AS MATERIALIZED (
      SELECT e.siret, o.siren IS NOT NULL AS opposed, e.statut_diffusion = 'P' AS partial,
        u.statut_diffusion = 'P' AND e.statut_diffusion = 'O' AND e.fetched_at < (
          -- A buried unit keeps its own version: its tombstones tell when it was seen as P.
          SELECT coalesce(max(t.fetched_at) FILTER (WHERE u.buried), u.fetched_at)
          FROM erasures t WHERE t.siren = u.siren AND t.siret IS NULL AND {IS_TOMBSTONE})
          AS older,
        o.siren IS NOT NULL
          OR {is_person("u")} AS whole
      FROM etablissements e JOIN unites_legales u USING (siren)
      LEFT JOIN oppositions o USING (siren)
      WHERE (e.siren = ANY(:sirens) OR e.siret = ANY(:sirets)) AND u.siren = ANY(:all))
    """,
    *(f"masked_{table.name} AS ({_mask(table)})" for table in _MASKED_TABLES),
)


def _erasure(parts: Sequence[str], *, simhashes: str, entries: str = "true", also: str = "") -> str:
    """Return the statement that erases in these parts, and in every place beside the register.

    `simhashes` and `entries` are conditions. It selects a row for each that it erased, with whose
    it was; pages, letters and words of the index need more than SQL.
    """
    everywhere = (
        *parts,
        places.ORDERS,
        places.LINES,
        places.simhashes_of(simhashes),
        places.ITEMS,
        places.REDIRECTS,
        places.REPORTS,
        places.entries(entries),
        places.LETTERS,
    )
    return f"""
    WITH {", ".join(everywhere)}
    SELECT 'avis' AS name, siren AS whose, NULL::bigint AS id FROM texts
    UNION ALL SELECT 'avis_attempts', siren, NULL FROM attempts
    UNION ALL SELECT 'review_batch_lines', siren, NULL FROM lines
    UNION ALL SELECT 'avis_orders', siren, NULL FROM orders
    UNION ALL SELECT 'avis_simhashes', siren, NULL FROM simhashes
    UNION ALL SELECT 'failed_items', siren, NULL FROM items
    UNION ALL SELECT 'pro_localisations', siren, id FROM pages
    UNION ALL SELECT 'page_redirects', siren, NULL FROM redirects
    UNION ALL SELECT 'page_reports', siren, NULL FROM reports
    UNION ALL SELECT 'search_entries', siren, NULL FROM entries
    UNION ALL SELECT '{_WORDS}', word, number FROM words
    UNION ALL SELECT '{_LETTERS}', NULL, id FROM letters
    {also}
    """


_HOLD_AND_ERASE = Prepared(
    "erase",
    _erasure(
        _PARTS,
        simhashes="siren = ANY(:sirens) OR siret = ANY(:sirets)",
        also=f"UNION ALL SELECT 'sources', siren, NULL FROM reviews {_MASKED_ROWS}",
    ),
    first=[places.HOLD, places.HOLD_WORDS],
)
_HOLD_AND_UNNAME = Prepared(
    "unname",
    _erasure(purged.PARTS, simhashes=purged.LOST_TEXTS, entries="person"),
    first=[places.HOLD, places.HOLD_WORDS],
)
# A replay or a restore must find a tombstone, even where the register never showed this unit as
# open to all.
_BURY_ERASED = text(f"""
    INSERT INTO erasures (siren, date_dernier_traitement, fetched_at, reason)
    SELECT u.siren, u.date_dernier_traitement, u.fetched_at, 'partial_diffusion'
    FROM unites_legales u
    WHERE u.siren = ANY(:sirens) AND {is_partial("u")} AND NOT EXISTS (
      SELECT FROM erasures t WHERE t.siren = u.siren AND t.siret IS NULL
        AND {IS_TOMBSTONE} AND {is_covered_by("u", "t")})
""")


def erase(
    connection: Connection, silenced: Silenced = _NOBODY, *, unnamed: Collection[Purged] = ()
) -> Counter[str]:
    """Delete texts, attempts, raw records and page names; return the number of rows by table.

    The caller holds the units' rows. Older data of the other establishments of a P unit goes too.
    Of the `unnamed` only their names go; the caller then decides which of their texts are due, as
    of changed facts.
    """
    erased: list[tuple[str, str]] = []
    if unnamed:
        statement, parameters = _HOLD_AND_UNNAME, purged.parameters_of(unnamed)
        erased += _erase(connection, statement, parameters, purged.units_of(unnamed))
    for part in _pieces(silenced):
        erased += _erase(connection, _HOLD_AND_ERASE, places.parameters_of(part), part)
    buried = sorted({siren for _, siren in erased if siren in silenced.sirens})
    if buried:
        connection.execute(_BURY_ERASED, {"sirens": buried})
    return Counter(name for name, _ in erased)


def _pieces(silenced: Silenced) -> Iterator[Silenced]:
    """Yield some establishments at a time, then their units."""
    if fit_in_one(silenced.sirets):
        if silenced:
            yield silenced
        return
    for sirets in in_pieces(sorted(silenced.sirets)):
        yield Silenced(sirets=frozenset(sirets))
    if silenced.sirens:
        yield Silenced(silenced.sirens)


def _erase(
    connection: Connection, statement: Prepared, parameters: Mapping[str, str], those: Silenced
) -> list[tuple[str, str]]:
    """Return table and siren of each row that was erased."""
    found = statement.run(connection, parameters).all()
    if words := {row.whose: row.id for row in found if row.name == _WORDS}:
        lexicon.take_away(connection, words)
    pages = [row.id for row in found if row.name == "pro_localisations"]
    places.erase_page_names(connection, pages)
    letters = [row.id for row in found if row.name == _LETTERS]
    cut = places.cut_letters(connection, those, letters)
    erased = [(row.name, row.whose) for row in found if row.name not in {_LETTERS, _WORDS}]
    return [*erased, *((_LETTERS, siren) for siren in cut)]
