"""The erasure of all that was made of a person's records, in the caller's transaction.

Its unit test lists all tables with a siren or siret: those to erase, and those of numbers alone.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Table, text

from services.writer.erasure import letter_records
from services.writer.erasure.letter_records import Silenced
from services.writer.erasure.tombstones import (
    HIDDEN_HASH,
    HOLD_SIRENS,
    IS_TOMBSTONE,
    is_person,
    nulled,
)
from services.writer.sql.prepared import Prepared
from services.writer.sql.versions import is_covered_by, is_partial
from shared.avis import NO_TEXT, RESET
from shared.db.neighbours import neighbourhood
from shared.db.tables import metadata
from shared.sirene.pages import anonymous_slug
from shared.sirene.records import PERSONAL_ETABLISSEMENT_FIELDS, SIGN_FIELDS, STREET_FIELDS


def _mask(table: Table) -> str:
    """Return the statement that empties rows that are opposed, or older than the P of their unit.

    The own row of a P establishment is as INSEE masked it; its history may be older.
    """
    columns = [name for name in PERSONAL_ETABLISSEMENT_FIELDS if name in table.columns]
    signs = [name for name in SIGN_FIELDS if name in columns]
    streets = [name for name in STREET_FIELDS if name in columns]
    filled = [f"concerned.whole AND num_nonnulls({', '.join(signs)}) > 0"]
    assignments = [nulled(signs, where="concerned.whole", row="t.")]
    if streets:
        filled.append(f"num_nonnulls({', '.join(streets)}) > 0")
        assignments.append(nulled(streets))
    hidden = "concerned.opposed OR concerned.older"
    if "content_hash" in table.columns:
        assignments.append(f"content_hash = {HIDDEN_HASH.format('t')}")
    else:
        hidden = f"{hidden} OR concerned.partial"
    return f"""
      UPDATE {table.name} t SET {", ".join(assignments)}
      FROM concerned
      WHERE ({hidden}) AND t.siret = concerned.siret AND ({" OR ".join(filled)})
        -- The condition stands here a second time, as an array: see the comment on `_ERASE`.
        AND t.siret = ANY (ARRAY(SELECT siret FROM concerned WHERE {hidden}))
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

# Pages with names and letters with records need more than SQL: they are only listed and locked
# here. Every plan looks the elements of an array up in an index. A join reads whole tables for a
# few rows, where the tables were never analysed.
_ERASE = f"""
    WITH texts AS (
      UPDATE avis SET
        outcome = CASE WHEN EXISTS (SELECT FROM etablissements e
            WHERE e.siret = avis.siret AND e.statut_diffusion = 'O' AND 'O' = (
              SELECT u.statut_diffusion FROM unites_legales u WHERE u.siren = e.siren))
          THEN 'skipped_opposition' ELSE 'skipped_non_diffusible' END,
        facts_hash = '', {NO_TEXT}, {RESET}
      FROM (
        SELECT id FROM avis
        WHERE (siren = ANY(:sirens) OR siret = ANY(:sirets))
          AND (text IS NOT NULL OR facts_hash <> ''
            OR outcome NOT IN ('skipped_non_diffusible', 'skipped_opposition'))
        ORDER BY id FOR UPDATE) found
      WHERE avis.id = found.id
      RETURNING avis.siren, avis.id),
    lines AS (
      -- The answer still counts on the batch's bill, but becomes no text: its claim is gone.
      UPDATE review_batch_lines l SET facts_hash = NULL FROM texts
      WHERE l.avis_id = texts.id AND l.facts_hash IS NOT NULL
      RETURNING texts.siren),
    attempts AS (
      DELETE FROM avis_attempts
      WHERE siren = ANY(:sirens)
        OR avis_id = ANY (ARRAY(SELECT id FROM avis WHERE siret = ANY(:sirets)))
      RETURNING siren),
    reviews AS (
      DELETE FROM sources WHERE siren = ANY(:sirens) OR siret = ANY(:sirets) RETURNING siren),
    placed AS MATERIALIZED (
      SELECT id, siren, (
        SELECT {neighbourhood("p")} FROM pro_localisations p
        WHERE p.id = avis.pro_localisation_id) AS place
      FROM avis WHERE siren = ANY(:sirens) OR siret = ANY(:sirets)),
    simhashes AS (
      DELETE FROM avis_simhashes kept USING placed
      WHERE kept.place = placed.place AND kept.avis_id = placed.id
      RETURNING placed.siren),
    items AS (
      UPDATE failed_items SET payload = NULL,
        message = CASE kind WHEN 'review' THEN 'erased' ELSE message END
      FROM (
        SELECT id FROM failed_items
        WHERE siren = ANY(:all) AND (siren = ANY(:sirens) OR key = ANY(:sirets)
            OR kind = 'review' AND key IN (SELECT id::text FROM avis WHERE siret = ANY(:sirets)))
          AND (payload IS NOT NULL OR kind = 'review' AND message <> 'erased')
        ORDER BY id FOR UPDATE) found
      WHERE failed_items.id = found.id
      RETURNING failed_items.siren),
    pages AS (
      SELECT id, siren FROM pro_localisations
      WHERE (siren = ANY(:sirens) OR siret = ANY(:sirets)) AND nom IS NOT NULL
      ORDER BY siret FOR UPDATE),
    redirects AS (
      DELETE FROM page_redirects WHERE siren = ANY(:sirens) OR siret = ANY(:sirets)
      RETURNING siren),
    letters AS (
      SELECT id FROM dead_letters
      WHERE sirens && CAST(:all AS text[]) AND body <> '' ORDER BY id FOR UPDATE),
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
      WHERE (e.siren = ANY(:sirens) OR e.siret = ANY(:sirets)) AND u.siren = ANY(:all)),
    {", ".join(f"masked_{table.name} AS ({_mask(table)})" for table in _MASKED_TABLES)}
    SELECT 'avis' AS name, siren, NULL::bigint AS id FROM texts
    UNION ALL SELECT 'avis_attempts', siren, NULL FROM attempts
    UNION ALL SELECT 'review_batch_lines', siren, NULL FROM lines
    UNION ALL SELECT 'sources', siren, NULL FROM reviews
    UNION ALL SELECT 'avis_simhashes', siren, NULL FROM simhashes
    UNION ALL SELECT 'failed_items', siren, NULL FROM items
    UNION ALL SELECT 'pro_localisations', siren, id FROM pages
    UNION ALL SELECT 'page_redirects', siren, NULL FROM redirects
    UNION ALL SELECT 'dead_letters', NULL, id FROM letters
    {_MASKED_ROWS}
"""
_HOLD_AND_ERASE = Prepared("erase", _ERASE, first=[Prepared("hold_sirens", HOLD_SIRENS)])
_LETTERS = text("SELECT id, body, sirens FROM dead_letters WHERE id = ANY(:ids) ORDER BY id")
_REWRITE_LETTER = text("""
    UPDATE dead_letters SET body = :body, sirens = CAST(:sirens AS text[]) WHERE id = :id
""")
_PAGES = text("""
    SELECT id, siret, libelle_commune FROM pro_localisations WHERE id = ANY(:ids) ORDER BY siret
""")
_UNNAME_PAGE = text(
    "UPDATE pro_localisations SET nom = NULL, nom_source = NULL, slug = :slug WHERE id = :id"
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


def erase(connection: Connection, silenced: Silenced) -> Counter[str]:
    """Delete texts, attempts, raw records and page names; return the number of rows by table.

    The caller holds the units' rows. Older data of the other establishments of a P unit goes too.
    """
    if not silenced:
        return Counter()
    parameters = {
        "sirens": _literal(silenced.sirens),
        "sirets": _literal(silenced.sirets),
        "all": _literal({*silenced.sirens, *(siret[:9] for siret in silenced.sirets)}),
    }
    found = _HOLD_AND_ERASE.run(connection, parameters).all()
    erase_page_names(connection, [row.id for row in found if row.name == "pro_localisations"])
    cut = _erase_letters(
        connection, silenced, [row.id for row in found if row.name == "dead_letters"]
    )
    erased = [(row.name, row.siren) for row in found if row.name != "dead_letters"]
    erased += [("dead_letters", siren) for siren in cut]
    buried = sorted({siren for _, siren in erased if siren in silenced.sirens})
    if buried:
        connection.execute(_BURY_ERASED, {"sirens": buried})
    return Counter(name for name, _ in erased)


def _literal(numbers: Iterable[str]) -> str:
    """Spell an array as one literal: of ARRAY[…] PostgreSQL parses each element as a node."""
    return f"{{{','.join(sorted(numbers))}}}"


def erase_page_names(connection: Connection, ids: Sequence[int]) -> None:
    """Give these pages the slug of a page without a name."""
    if not ids:
        return
    for page in connection.execute(_PAGES, {"ids": ids}).all():
        slug = anonymous_slug(page.siret, page.libelle_commune)
        connection.execute(_UNNAME_PAGE, {"id": page.id, "slug": slug})


def _erase_letters(connection: Connection, silenced: Silenced, ids: Sequence[int]) -> list[str]:
    """Cut the silenced records out of the letters; return their sirens, once for each letter."""
    cut: list[str] = []
    for row in connection.execute(_LETTERS, {"ids": ids}).all() if ids else ():
        letter = letter_records.cut_silenced(bytes(row.body), silenced)
        if letter.body != bytes(row.body):
            rewritten = {"id": row.id, "body": letter.body, "sirens": list(letter.sirens)}
            connection.execute(_REWRITE_LETTER, rewritten)
            cut += sorted(set(row.sirens) - set(letter.sirens))
    return cut
