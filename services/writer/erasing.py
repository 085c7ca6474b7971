"""Erasure: everything that is kept of a person beyond the number, in the caller's transaction.

`erase` clears what was made of the records; `honour` the stored records as well, where an
opposition or a tombstone says that they must not be there. Both are idempotent.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, text

from services.writer import letters
from services.writer.letters import Silenced
from services.writer.tombstones import HIDDEN_HASH, hold_sirens, nulled, withheld
from shared.db.tables import metadata
from shared.sirene.pages import anonymous_slug
from shared.sirene.records import (
    PERSONAL_ETABLISSEMENT_FIELDS,
    PERSONAL_UNITE_FIELDS,
    SIGN_FIELDS,
    SOLE_TRADER,
    STREET_FIELDS,
)

# Every table with a siren or siret is in one of these two; a test walks the schema. Of those of
# the register the columns that INSEE masks are emptied, of the others what `_ERASE` says.
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

_TOMBSTONE_OF = """
    LEFT JOIN LATERAL (
      SELECT t.* FROM erasures t
      WHERE t.siren = {row}.siren AND {same} AND {row}.statut_diffusion = 'O'
        AND t.reason = 'partial_diffusion' AND t.fetched_at IS NOT NULL
        AND coalesce(t.date_dernier_traitement, '-infinity')
          >= coalesce({row}.date_dernier_traitement, '-infinity')
      ORDER BY coalesce(t.date_dernier_traitement, '-infinity') DESC, t.fetched_at DESC
      LIMIT 1) t ON true
"""


def _as_buried(condition: str) -> str:
    """Assignments that give a row the version of its tombstone, so that only a newer one wins."""
    return f"""
        statut_diffusion = CASE WHEN {condition} THEN 'P' ELSE n.statut_diffusion END,
        date_dernier_traitement = CASE WHEN {condition} THEN h.treated_at
          ELSE n.date_dernier_traitement END,
        fetched_at = CASE WHEN {condition} THEN h.buried_at ELSE n.fetched_at END,
        content_hash = n.{HIDDEN_HASH}, updated_at = now()
    """


_HONOUR_UNITES = text(f"""
    UPDATE unites_legales n SET
      {nulled(PERSONAL_UNITE_FIELDS, where="h.opposed OR h.is_person", row="n.")},
      {_as_buried("h.buried_at IS NOT NULL")}
    FROM (
      SELECT u.siren, o.siren IS NOT NULL AS opposed,
        coalesce(u.categorie_juridique, '{SOLE_TRADER}') = '{SOLE_TRADER}' AS is_person,
        t.date_dernier_traitement AS treated_at, t.fetched_at AS buried_at
      FROM unites_legales u LEFT JOIN oppositions o USING (siren)
      {_TOMBSTONE_OF.format(row="u", same="t.siret IS NULL")}
      WHERE u.siren = ANY(:sirens)) h
    WHERE h.siren = n.siren AND (h.buried_at IS NOT NULL
      OR h.opposed AND num_nonnulls({", ".join(PERSONAL_UNITE_FIELDS)}) > 0)
    RETURNING n.siren
""")  # noqa: S608  made of the names above
_HONOUR_ETABLISSEMENTS = text(f"""
    UPDATE etablissements n SET
      {nulled(SIGN_FIELDS, where="h.is_person", row="n.")}, {nulled(STREET_FIELDS)},
      {_as_buried("true")}
    FROM (
      SELECT e.siret, coalesce(u.categorie_juridique, '{SOLE_TRADER}') = '{SOLE_TRADER}'
          AS is_person,
        t.date_dernier_traitement AS treated_at, t.fetched_at AS buried_at
      FROM etablissements e LEFT JOIN unites_legales u USING (siren)
      {_TOMBSTONE_OF.format(row="e", same="t.siret = e.siret")}
      WHERE e.siren = ANY(:sirens) AND t.siren IS NOT NULL) h
    WHERE h.siret = n.siret
    RETURNING n.siren
""")  # noqa: S608  made of the names above
_LOCK_UNITES = text("""
    SELECT 1 FROM unites_legales WHERE siren = ANY(:sirens) ORDER BY siren FOR NO KEY UPDATE
""")
_BURIED_SIRETS = text("""
    SELECT DISTINCT siret FROM erasures WHERE siren = ANY(:sirens) AND siret IS NOT NULL
""")


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


def honour(connection: Connection, sirens: Sequence[str]) -> Counter[str]:
    """Bring what is stored of these units in line with oppositions and tombstones.

    For what did not come through a slice: an opposition, a restored dump, a stock file. Returns
    how many rows were cleared, by table. The caller holds the register.
    """
    those = {"sirens": sorted(set(sirens))}
    connection.execute(_LOCK_UNITES, those)
    cleared = Counter(
        unites_legales=len(connection.execute(_HONOUR_UNITES, those).all()),
        etablissements=len(connection.execute(_HONOUR_ETABLISSEMENTS, those).all()),
    )
    sirets = connection.execute(_BURIED_SIRETS, those).scalars().all()
    silenced = withheld(connection, sirens=those["sirens"], sirets=sirets)
    return +(cleared + erase(connection, silenced))


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
