"""Erasure: all that was made of a person's records, in the transaction that makes it due."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, text

from services.writer import letters
from services.writer.letters import Silenced
from services.writer.tombstones import HIDDEN_HASH, hold_sirens, nulled
from shared.db.tables import metadata
from shared.sirene.pages import anonymous_slug
from shared.sirene.records import (
    PERSONAL_ETABLISSEMENT_FIELDS,
    SIGN_FIELDS,
    SOLE_TRADER,
    STREET_FIELDS,
)

# Every table with a siren or siret is in one of these two; a test walks the schema.
ERASED_TABLES = frozenset(
    {
        "unites_legales",
        "etablissements",
        "pro_localisations",
        "avis",
        "avis_attempts",
        "failed_items",
        "dead_letters",
    }
)
NUMBERS_ONLY_TABLES = frozenset(
    {
        "import_runs",
        "import_batches",
        "slice_receipts",
        "oppositions",
        "erasures",
        "redirections",
        "successions",
    }
)

_ERASE_TRACES = text("""
    WITH texts AS (
      UPDATE avis SET
        outcome = CASE WHEN EXISTS (SELECT FROM etablissements e JOIN unites_legales u USING (siren)
            WHERE e.siret = avis.siret AND e.statut_diffusion = 'O' AND u.statut_diffusion = 'O')
          THEN 'skipped_opposition' ELSE 'skipped_non_diffusible' END,
        facts_hash = '', accepted_facts_hash = NULL, text = NULL, label = NULL,
        digital_source_type = NULL, model = NULL, prompt_version = NULL, accepted_at = NULL,
        published_at = NULL, claim_token = NULL, lease_until = NULL, attempts = 0,
        updated_at = now()
      FROM (
        SELECT id FROM avis
        WHERE (siren = ANY(:sirens) OR siret = ANY(:sirets))
          AND (text IS NOT NULL OR facts_hash <> ''
            OR outcome NOT IN ('skipped_non_diffusible', 'skipped_opposition'))
        ORDER BY id FOR UPDATE) theirs
      WHERE avis.id = theirs.id
      RETURNING avis.siren),
    attempts AS (
      DELETE FROM avis_attempts
      WHERE siren = ANY(:sirens)
        OR avis_id IN (SELECT id FROM avis WHERE siret = ANY(:sirets))
      RETURNING siren),
    items AS (
      UPDATE failed_items SET payload = NULL,
        message = CASE kind WHEN 'review' THEN 'erased' ELSE message END
      FROM (
        SELECT id FROM failed_items
        WHERE siren = ANY(:all) AND (siren = ANY(:sirens) OR key = ANY(:sirets)
            OR kind = 'review' AND key IN (SELECT id::text FROM avis WHERE siret = ANY(:sirets)))
          AND (payload IS NOT NULL OR kind = 'review' AND message <> 'erased')
        ORDER BY id FOR UPDATE) theirs
      WHERE failed_items.id = theirs.id
      RETURNING failed_items.siren)
    SELECT 'avis' AS name, siren FROM texts
    UNION ALL SELECT 'avis_attempts', siren FROM attempts
    UNION ALL SELECT 'failed_items', siren FROM items
""")
_LETTERS = text("""
    SELECT id, body, sirens FROM dead_letters WHERE sirens && CAST(:all AS text[]) AND body <> ''
    ORDER BY id FOR UPDATE
""")
_REWRITE_LETTER = text("""
    UPDATE dead_letters SET body = :body, sirens = CAST(:sirens AS text[]) WHERE id = :id
""")
_NAMED_PAGES = text("""
    SELECT id, siret, siren, libelle_commune, status FROM pro_localisations
    WHERE (siren = ANY(:sirens) OR siret = ANY(:sirets)) AND nom IS NOT NULL
    ORDER BY siret, activite_principale, code_commune FOR UPDATE
""")
_UNNAME_PAGE = text("UPDATE pro_localisations SET nom = NULL, slug = :slug WHERE id = :id")
# What a replay or a restore could bring back must find a tombstone, also where the register
# itself never showed this unit as open to all.
_BURY_ERASED = text("""
    INSERT INTO erasures (siren, date_dernier_traitement, fetched_at, reason)
    SELECT u.siren, u.date_dernier_traitement, u.fetched_at, 'partial_diffusion'
    FROM unites_legales u
    WHERE u.siren = ANY(:sirens) AND u.statut_diffusion = 'P' AND NOT EXISTS (
      SELECT FROM erasures t WHERE t.siren = u.siren AND t.siret IS NULL
        AND t.reason = 'partial_diffusion' AND t.fetched_at IS NOT NULL
        AND coalesce(t.date_dernier_traitement, '-infinity')
          >= coalesce(u.date_dernier_traitement, '-infinity'))
""")


def _mask_siblings(table: Table) -> str:
    """Empty in a table of establishments what is older than the P of their unit, or opposed."""
    columns = [name for name in PERSONAL_ETABLISSEMENT_FIELDS if name in table.columns]
    signs = [name for name in SIGN_FIELDS if name in columns]
    streets = [name for name in STREET_FIELDS if name in columns]
    filled = f"num_nonnulls({', '.join(columns)}) > 0"
    if streets:
        filled = f"(num_nonnulls({', '.join(streets)}) > 0 OR theirs.whole AND {filled})"
    else:
        filled = f"theirs.whole AND {filled}"
    assignments = [
        nulled(signs, where="theirs.whole", row="t."),
        *([nulled(streets)] * bool(streets)),
    ]
    if "content_hash" in table.columns:
        assignments.append(f"content_hash = t.{HIDDEN_HASH}")
    return f"""
        UPDATE {table.name} t SET {", ".join(assignments)}
        FROM (
          SELECT e.siret, o.siren IS NOT NULL
              OR coalesce(u.categorie_juridique, '{SOLE_TRADER}') = '{SOLE_TRADER}' AS whole
          FROM etablissements e JOIN unites_legales u USING (siren)
          LEFT JOIN oppositions o USING (siren)
          WHERE e.siren = ANY(:sirens) AND (o.siren IS NOT NULL
            OR u.statut_diffusion = 'P' AND e.statut_diffusion = 'O'
              AND e.fetched_at < u.fetched_at)) theirs
        WHERE t.siret = theirs.siret AND {filled}
        RETURNING t.siren
    """  # noqa: S608  made of the names above


def _tables_of_establishments() -> list[Table]:
    return [
        table
        for table in metadata.sorted_tables
        if "siret" in table.columns and any(name in table.columns for name in SIGN_FIELDS)
    ]


_MASK_SIBLINGS = {table.name: text(_mask_siblings(table)) for table in _tables_of_establishments()}


def erase(connection: Connection, silenced: Silenced) -> Counter[str]:
    """Delete texts, attempts, raw records and page names; return how many rows, by table.

    The caller holds the units' rows. What other establishments of a P unit still show from before
    goes as well.
    """
    if not silenced:
        return Counter()
    everyone = {*silenced.sirens, *(siret[:9] for siret in silenced.sirets)}
    parameters = {
        "sirens": sorted(silenced.sirens),
        "sirets": sorted(silenced.sirets),
        "all": sorted(everyone),
    }
    hold_sirens(connection, parameters["all"])
    erased = [(row.name, row.siren) for row in connection.execute(_ERASE_TRACES, parameters)]
    erased += _erase_siblings(connection, parameters["sirens"])
    erased += _erase_page_names(connection, parameters)
    erased += _erase_letters(connection, silenced, parameters)
    buried = sorted({siren for _, siren in erased if siren in silenced.sirens})
    if buried:
        connection.execute(_BURY_ERASED, {"sirens": buried})
    return Counter(name for name, _ in erased)


def _erase_siblings(connection: Connection, sirens: Sequence[str]) -> list[tuple[str, str]]:
    if not sirens:
        return []
    return [
        (name, siren)
        for name, statement in _MASK_SIBLINGS.items()
        for siren in connection.execute(statement, {"sirens": sirens}).scalars()
    ]


def _erase_page_names(
    connection: Connection, parameters: Mapping[str, Sequence[str]]
) -> list[tuple[str, str]]:
    pages = connection.execute(_NAMED_PAGES, parameters).all()
    for page in pages:
        slug = anonymous_slug(page.siret, page.libelle_commune)
        if page.status == "closed":
            slug = f"{slug}-{page.id}"
        connection.execute(_UNNAME_PAGE, {"id": page.id, "slug": slug})
    return [("pro_localisations", page.siren) for page in pages]


def _erase_letters(
    connection: Connection, silenced: Silenced, parameters: Mapping[str, Sequence[str]]
) -> list[tuple[str, str]]:
    erased = []
    for row in connection.execute(_LETTERS, parameters).all():
        letter = letters.without(bytes(row.body), silenced)
        if letter.body == bytes(row.body):
            continue
        connection.execute(
            _REWRITE_LETTER, {"id": row.id, "body": letter.body, "sirens": list(letter.sirens)}
        )
        cut = set(row.sirens) - set(letter.sirens)
        erased += [("dead_letters", siren) for siren in sorted(cut)]
    return erased
