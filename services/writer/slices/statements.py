"""SQL of the slices, made from the names of the register's columns."""

from sqlalchemy import text

from services.writer.erasure.tombstones import IS_TOMBSTONE
from services.writer.sql.names import columns, excluded, fields_of
from services.writer.sql.prepared import Prepared
from services.writer.sql.versions import is_hidden_by, is_partial, keeps_stamp, version
from shared.sirene.records import Etablissement, Page, PeriodeEtablissement, UniteLegale

UNITE_FIELDS = fields_of(UniteLegale)
ETABLISSEMENT_FIELDS = fields_of(Etablissement)
PERIODE_FIELDS = fields_of(PeriodeEtablissement)
STAMPS = ("content_hash", "fetched_at")
# No record has the column: it stays null until a P hides the row.
_BURIED = "buried"
_THEN = "CAST(:fetched_at AS timestamptz)"


def _like(new: str, table: str, columns: str) -> str:
    """Return the statement that makes a temporary table: the columns of `table`, no constraint."""
    select = f"SELECT {columns} FROM {table} WITH NO DATA"
    return f"CREATE TEMP TABLE IF NOT EXISTS {new} ON COMMIT DELETE ROWS AS {select}"


# They stay with their connection and are empty in each transaction. Made again for each slice,
# their hundred columns would cost the catalog more WAL than an unchanged slice costs the tables.
CREATE_NEW = text(
    "; ".join(
        (
            _like("new_unites", "unites_legales", columns((*UNITE_FIELDS, *STAMPS, _BURIED))),
            _like(
                "new_etablissements",
                "etablissements",
                columns((*ETABLISSEMENT_FIELDS, *STAMPS, _BURIED)),
            ),
            _like("new_periodes", "periodes_etablissements", columns(PERIODE_FIELDS)),
            _like(
                "new_pages",
                "pro_localisations",
                f"{columns(fields_of(Page))}, ''::text AS outcome, ''::text AS facts_hash",
            ),
        )
    )
)
# A slice's statements look up some hundred keys. The planner's default price of a lookup is that of
# a turning disk: at this price it reads whole tables of some 10 000 rows instead. A generic plan
# serves every slice, a custom one only slices with as many keys as the first ones.
PROBE_KEYS = text("SET random_page_cost = 1.1; SET plan_cache_mode = force_generic_plan")
EMPTY_NEW = text("TRUNCATE new_unites, new_etablissements, new_periodes, new_pages")


_CHANGED, _SAME, _AGED = 0, 1, 2


def _compared(key: str, table: str, keys: str, hashes: str, *, unless: str = "") -> str:
    """Select how the row of each key compares: NULL without a row, `_AGED` with only a wrong stamp.

    A subquery of one row is a probe of the key in every plan; a join is not.
    """
    return f"""
        SELECT n.key, (
          SELECT CASE
            WHEN NOT (o.content_hash = decode(n.hash, 'hex'){unless}) THEN {_CHANGED}
            WHEN {keeps_stamp("o", _THEN)} THEN {_SAME}
            ELSE {_AGED} END
          FROM {table} o WHERE o.{key} = n.key) AS found
        FROM unnest(string_to_array(:{keys}, ' '), string_to_array(:{hashes}, ' ')) AS n (key, hash)
        OFFSET 0
    """


def _keys(name: str, where: str) -> str:
    return f"coalesce(array_agg(key) FILTER (WHERE {where}), '{{}}') AS {name}"


# A unit may be stored clear although it should not: from a restored backup, or from a writer that
# had not seen the opposition.
_IS_RIGHTLY_SHOWN = f"""
            AND NOT EXISTS (SELECT FROM oppositions p WHERE p.siren = o.siren)
            AND NOT (o.statut_diffusion = 'O' AND EXISTS (
              SELECT FROM erasures t WHERE t.siren = o.siren
                AND t.siret IS NULL AND {IS_TOMBSTONE} AND {is_hidden_by("o", "t")}))"""

_SIRETS = _compared("siret", "etablissements", "sirets", "etablissement_hashes")
_SIRENS = _compared("siren", "unites_legales", "sirens", "unite_hashes", unless=_IS_RIGHTLY_SHOWN)
FIND_STALE = Prepared(
    "find_stale",
    f"""
    SELECT e.*, u.*, EXISTS (SELECT FROM failed_items WHERE kind = 'write' AND resolved_at IS NULL
        AND key = ANY(string_to_array(:sirets, ' '))) AS has_failed
    FROM (
      SELECT {_keys("changed_sirets", f"found = {_CHANGED}")},
        {_keys("new_sirets", "found IS NULL")}, {_keys("aged_sirets", f"found = {_AGED}")}
      FROM ({_SIRETS}) compared) e
    CROSS JOIN (
      SELECT {_keys("changed_sirens", f"found = {_CHANGED}")},
        {_keys("new_sirens", "found IS NULL")}, {_keys("aged_sirens", f"found = {_AGED}")}
      FROM ({_SIRENS}) compared) u
    """,
)


def _renewal(table: str, key: str, where: str) -> Prepared:
    return Prepared(
        f"renew_{table}",
        f"""
        UPDATE {table} SET fetched_at = :fetched_at, updated_at = now()
        FROM (
          SELECT o.{key} AS key, decode(n.hash, 'hex') AS hash
          FROM unnest(string_to_array(:keys, ' '), string_to_array(:hashes, ' ')) AS n (key, hash)
          JOIN {table} o ON o.{key} = n.key
          ORDER BY o.{key} FOR NO KEY UPDATE OF o) sent
        WHERE {table}.{key} = sent.key AND {table}.content_hash = sent.hash
          AND ({where})
        """,
    )


# Units come first, in the order in which everybody locks.
RENEW_UNITES = _renewal("unites_legales", "siren", f"NOT {keeps_stamp('unites_legales', _THEN)}")
# An establishment that was seen since its unit was last seen as P tells so by its stamp.
RENEW_ETABLISSEMENTS = _renewal(
    "etablissements",
    "siret",
    f"""SELECT CASE WHEN {is_partial("u")}
      THEN {_THEN} >= u.fetched_at AND (etablissements.fetched_at < u.fetched_at
        OR NOT {keeps_stamp("etablissements", _THEN)})
      ELSE NOT {keeps_stamp("etablissements", _THEN)} END
    FROM (SELECT) one LEFT JOIN unites_legales u ON u.siren = etablissements.siren""",
)

# Every slice and every erasure takes the row of a unit first. The unit's establishments, pages and
# texts then belong to it until the transaction ends. Unchanged units are neither locked nor
# written.
LOCK_UNITES = Prepared(
    "lock_unites",
    """
    SELECT 1 FROM unites_legales
    WHERE siren IN (SELECT siren FROM new_unites)
    ORDER BY siren
    FOR NO KEY UPDATE
    """,
)

# A slice with unchanged units and only new establishments of them needs nothing but to hold the
# units. They are read again under the lock, and compared as `_upsert` does. A unit with an
# opposition or a tombstone takes the long way.
HOLD_SAME = Prepared(
    "hold_same",
    f"""
    SELECT u.siren FROM unites_legales u
    WHERE u.siren = ANY(string_to_array(:sirens, ' '))
      AND u.siren || encode(u.content_hash, 'hex') = ANY(string_to_array(:versions, ' '))
      AND {keeps_stamp("u", _THEN)}
      AND NOT EXISTS (SELECT FROM oppositions o WHERE o.siren = u.siren)
      AND NOT EXISTS (SELECT FROM erasures t WHERE t.siren = u.siren)
    ORDER BY u.siren
    FOR NO KEY UPDATE OF u
    """,
)


def _upsert(new: str, table: str, key: str, names: tuple[str, ...], *, also: str = "") -> str:
    """Write the rows that differ and are not older; select each row that was written.

    A row with the same content is written only where its stamp is wrong.
    """
    stored = (*names, *STAMPS, _BURIED)
    updates = excluded(name for name in stored if name != key)
    return f"""
        WITH written AS (
          INSERT INTO {table} AS o ({columns(stored)})
          SELECT {columns(stored, "n.")}
          FROM {new} n
          WHERE (
            SELECT o.content_hash = n.content_hash AND {keeps_stamp("o", "n.fetched_at")}
            FROM {table} o WHERE o.{key} = n.{key}) IS NOT TRUE
          ORDER BY n.{key}
          ON CONFLICT ({key}) DO UPDATE SET {updates}, updated_at = now()
          WHERE {version("excluded")} >= {version("o")}
            OR o.content_hash = excluded.content_hash
              AND NOT {keeps_stamp("o", "excluded.fetched_at")}
          RETURNING o.{key}, o.content_hash, o.xmax = 0 AS inserted),
        changed AS MATERIALIZED (
          -- The statement still sees the old row: its hash is the same where only the stamp is new.
          SELECT w.{key}, w.inserted FROM written w
          WHERE w.inserted OR w.content_hash IS DISTINCT FROM (
            SELECT o.content_hash FROM {table} o WHERE o.{key} = w.{key})){also}
        SELECT {key} AS key, inserted FROM changed
    """


_RENEW_PERIODES = f""",
        renewed AS (
          INSERT INTO periodes_etablissements AS o ({columns(PERIODE_FIELDS)})
          SELECT {columns(PERIODE_FIELDS, "n.")}
          FROM new_periodes n JOIN changed c USING (siret) ORDER BY n.siret, n.rang
          ON CONFLICT (siret, rang) DO UPDATE SET {excluded(PERIODE_FIELDS[2:])}
          WHERE ({columns(PERIODE_FIELDS, "o.")})
            IS DISTINCT FROM ({columns(PERIODE_FIELDS, "excluded.")})),
        outdated AS (
          DELETE FROM periodes_etablissements o USING changed c
          WHERE o.siret = c.siret AND NOT c.inserted
            AND NOT EXISTS (SELECT FROM new_periodes n
              WHERE n.siret = o.siret AND n.rang = o.rang))
"""

UPSERT_UNITES = Prepared(
    "upsert_unites", _upsert("new_unites", "unites_legales", "siren", UNITE_FIELDS)
)
UPSERT_ETABLISSEMENTS = Prepared(
    "upsert_etablissements",
    _upsert(
        "new_etablissements", "etablissements", "siret", ETABLISSEMENT_FIELDS, also=_RENEW_PERIODES
    ),
)

# A turn is only an appointment: on its day the stored periods decide.
NOTE_TURNS = Prepared(
    "note_turns",
    """
    INSERT INTO turns AS o (siret, day)
    SELECT siret, day
    FROM unnest(CAST(:sirets AS text[]), CAST(:days AS date[])) AS n (siret, day)
    ORDER BY siret
    ON CONFLICT (siret) DO UPDATE SET day = least(o.day, excluded.day)
    """,
)
