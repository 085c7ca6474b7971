"""The places beside the register that keep a person's data, as every erasure empties them.

The SQL is for the WITH of one statement, with the arrays `sirens` and `sirets` of whom it is about,
and `all`, the sirens of both. `texts` is the part of the statement that erased texts.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from services.writer.erasure import letter_records
from services.writer.erasure.letter_records import Silenced
from services.writer.erasure.tombstones import HOLD_SIRENS
from services.writer.sql.prepared import Prepared
from shared.db import lexicon
from shared.db.neighbours import neighbourhood
from shared.sirene.slugs import anonymous_slug

HOLD = Prepared("hold_sirens", HOLD_SIRENS)
LINES = """
    lines AS (
      -- The answer still counts on the batch's bill, but becomes no text: its claim is gone.
      UPDATE review_batch_lines l SET facts_hash = NULL FROM texts
      WHERE l.avis_id = texts.id AND l.facts_hash IS NOT NULL
      RETURNING texts.siren)
"""
ITEMS = """
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
      RETURNING failed_items.siren)
"""
# An order holds what people wrote about a text.
ORDERS = """
    orders AS (
      DELETE FROM avis_orders WHERE siren = ANY(:sirens) OR siret = ANY(:sirets) RETURNING siren)
"""
REDIRECTS = """
    redirects AS (
      DELETE FROM page_redirects WHERE siren = ANY(:sirens) OR siret = ANY(:sirets)
      RETURNING siren)
"""
# A report about a page tells of the person, or is the person's own.
REPORTS = """
    reports AS (
      DELETE FROM page_reports WHERE siren = ANY(:sirens) OR siret = ANY(:sirets)
      RETURNING siren)
"""
_ENTRIES = """
    siren = ANY(CAST(:all AS text[])) AND (siren = ANY(:sirens) OR siret = ANY(:sirets))
"""
HOLD_WORDS = Prepared("hold_words", lexicon.hold_words_sql(_ENTRIES))
# Pages with names and letters with records need more than SQL: they are only listed and locked.
LETTERS = """
    letters AS (
      SELECT id FROM dead_letters
      WHERE sirens && CAST(:all AS text[]) AND body <> '' ORDER BY id FOR UPDATE)
"""
_LETTERS = text("SELECT id, body, sirens FROM dead_letters WHERE id = ANY(:ids) ORDER BY id")
_REWRITE_LETTER = text("""
    UPDATE dead_letters SET body = :body, sirens = CAST(:sirens AS text[]) WHERE id = :id
""")
_PAGES = text("""
    SELECT id, siret, libelle_commune FROM pro_localisations WHERE id = ANY(:ids) ORDER BY siret
""")
_UNNAME_PAGES = text("""
    UPDATE pro_localisations p SET nom = NULL, nom_source = NULL, slug = n.slug
    FROM unnest(CAST(:ids AS bigint[]), CAST(:slugs AS text[])) AS n (id, slug)
    WHERE p.id = n.id
""")


def simhashes_of(avis: str) -> str:
    """Return the part that deletes the fingerprints of the avis that meet the condition."""
    return f"""
    placed AS MATERIALIZED (
      SELECT id, siren, (
        SELECT {neighbourhood("p")} FROM pro_localisations p
        WHERE p.id = avis.pro_localisation_id) AS place
      FROM avis WHERE {avis}),
    simhashes AS (
      DELETE FROM avis_simhashes kept USING placed
      WHERE kept.place = placed.place AND kept.avis_id = placed.id
      RETURNING placed.siren)
    """


def entries(also: str = "true") -> str:
    """Return the part that takes entries away which meet the condition, with their words.

    The indexer makes those anew whose pages may still be found: their units have changed, too.
    """
    return f"""
    entries AS (DELETE FROM search_entries WHERE {_ENTRIES} AND {also} RETURNING siren, terms),
    words AS (
      SELECT word, count(*) AS number
      FROM entries CROSS JOIN unnest(tsvector_to_array(terms)) AS word GROUP BY word)
    """


def parameters_of(silenced: Silenced) -> dict[str, str]:
    return {
        "sirens": literal(silenced.sirens),
        "sirets": literal(silenced.sirets),
        "all": literal({*silenced.sirens, *(siret[:9] for siret in silenced.sirets)}),
    }


def literal(words: Iterable[str]) -> str:
    """Spell an array as one literal: of ARRAY[…] PostgreSQL parses each element as a node."""
    return f"{{{','.join(sorted(words))}}}"


def erase_page_names(connection: Connection, ids: Sequence[int]) -> None:
    """Give these pages the slug of a page without a name."""
    if not ids:
        return
    pages = connection.execute(_PAGES, {"ids": ids}).all()
    slugs = [anonymous_slug(page.siret, page.libelle_commune) for page in pages]
    connection.execute(_UNNAME_PAGES, {"ids": [page.id for page in pages], "slugs": slugs})


def cut_letters(connection: Connection, silenced: Silenced, ids: Sequence[int]) -> list[str]:
    """Cut the silenced records out of the letters; return their sirens, once for each letter."""
    cut: list[str] = []
    for row in connection.execute(_LETTERS, {"ids": ids}).all() if ids else ():
        letter = letter_records.cut_silenced(bytes(row.body), silenced)
        if letter.body != bytes(row.body):
            rewritten = {"id": row.id, "body": letter.body, "sirens": list(letter.sirens)}
            connection.execute(_REWRITE_LETTER, rewritten)
            cut += sorted(set(row.sirens) - set(letter.sirens))
    return cut
