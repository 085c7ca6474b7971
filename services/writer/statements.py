"""SQL of the register: its tables have dozens of columns, so it is made from their names."""

from dataclasses import fields

from sqlalchemy import text

from shared.sirene.records import (
    Etablissement,
    UniteLegale,
)

UNITE_FIELDS = tuple(field.name for field in fields(UniteLegale))
ETABLISSEMENT_FIELDS = tuple(field.name for field in fields(Etablissement))
STAMPS = ("content_hash", "fetched_at")
PAGE_FIELDS = (
    "siret",
    "siren",
    "activite_principale",
    "code_commune",
    "slug",
    "nom",
    "libelle_activite",
    "libelle_commune",
    "status",
)
NEW_PAGE_FIELDS = (*PAGE_FIELDS, "outcome", "facts_hash")

# `merging.Version` says the same in Python.
_VERSION = (
    "(coalesce({0}.date_dernier_traitement, '-infinity'),"
    " {0}.statut_diffusion = 'P', {0}.fetched_at)"
)


def _columns(names: tuple[str, ...], prefix: str = "") -> str:
    return ", ".join(prefix + name for name in names)


def _like(new: str, table: str, columns: str) -> str:
    """A temporary table without the constraints of the table that its rows are meant for."""
    select = f"SELECT {columns} FROM {table} WITH NO DATA"  # noqa: S608  made of the names above
    return f"CREATE TEMP TABLE IF NOT EXISTS {new} ON COMMIT DELETE ROWS AS {select}"


# They stay with their connection and are empty in each transaction: made anew for each slice,
# their hundred columns would cost the catalog more WAL than an unchanged slice costs the tables.
CREATE_NEW = text(
    "; ".join(
        (
            _like("new_unites", "unites_legales", _columns(UNITE_FIELDS + STAMPS)),
            _like("new_etablissements", "etablissements", _columns(ETABLISSEMENT_FIELDS + STAMPS)),
            _like(
                "new_pages",
                "pro_localisations",
                f"{_columns(PAGE_FIELDS)}, ''::text AS outcome, ''::text AS facts_hash",
            ),
        )
    )
)
EMPTY_NEW = text("TRUNCATE new_unites, new_etablissements, new_pages")

# Every writer and every eraser takes a unit's row first: its establishments, pages and texts are
# then its own until the end of the transaction. Unchanged units are not locked, nor written.
LOCK_UNITES = text("""
    SELECT 1 FROM unites_legales
    WHERE siren IN (
      SELECT n.siren FROM new_unites n LEFT JOIN unites_legales o USING (siren)
      WHERE o.content_hash IS DISTINCT FROM n.content_hash
      UNION ALL
      SELECT n.siren FROM new_etablissements n LEFT JOIN etablissements o USING (siret)
      WHERE o.content_hash IS DISTINCT FROM n.content_hash)
    ORDER BY siren
    FOR NO KEY UPDATE
""")


def _upsert(new: str, table: str, key: str, names: tuple[str, ...]) -> str:
    """Write what differs and is not older; answer for each row that was written.

    INSEE moves the treatment date with the content, so a row with both equal needs no newer
    stamp; a row without a date has only its stamp to be told by.
    """
    stored = (*names, *STAMPS)
    updates = ", ".join(f"{name} = excluded.{name}" for name in stored if name != key)
    return f"""
        WITH due AS MATERIALIZED (
          SELECT n.*, o.content_hash IS DISTINCT FROM n.content_hash AS differs
          FROM {new} n LEFT JOIN {table} o USING ({key})
          WHERE o.content_hash IS DISTINCT FROM n.content_hash
             OR (n.date_dernier_traitement IS NULL AND o.fetched_at < n.fetched_at)),
        written AS (
          INSERT INTO {table} AS o ({_columns(stored)})
          SELECT {_columns(stored)} FROM due ORDER BY {key}
          ON CONFLICT ({key}) DO UPDATE SET {updates}, updated_at = now()
          WHERE {_VERSION.format("excluded")} >= {_VERSION.format("o")}
          RETURNING o.{key}, o.xmax = 0 AS inserted)
        SELECT w.{key} AS key, w.inserted FROM written w JOIN due USING ({key}) WHERE due.differs
    """  # noqa: S608  made of the names above


UPSERT_UNITES = text(_upsert("new_unites", "unites_legales", "siren", UNITE_FIELDS))
UPSERT_ETABLISSEMENTS = text(
    _upsert("new_etablissements", "etablissements", "siret", ETABLISSEMENT_FIELDS)
)


READ_SUBJECTS = text(f"""
    SELECT {", ".join(f"e.{name} AS e_{name}" for name in ETABLISSEMENT_FIELDS)},
      {", ".join(f"u.{name} AS u_{name}" for name in UNITE_FIELDS)},
      o.siren IS NOT NULL AS opposed
    FROM etablissements e
    JOIN unites_legales u ON u.siren = e.siren
    LEFT JOIN oppositions o ON o.siren = e.siren
    WHERE e.siret = ANY(:sirets) OR e.siren = ANY(:sirens)
    ORDER BY e.siret
""")  # noqa: S608  made of the names above
