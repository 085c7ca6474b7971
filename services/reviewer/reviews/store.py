"""Sources in the database."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from services.reviewer.french.labels import clean_name
from services.reviewer.reviews.source import Source, Verification
from shared.db.quotations import url_digest
from shared.sirene.records import SOLE_TRADER

_COLUMNS = tuple(Source.model_fields)
_VALUES = ", ".join(f":{name}" for name in _COLUMNS)

# The rows are locked until the commit: an erasure waits, or was first.
_PLACES = text("""
    SELECT e.siret, u.categorie_juridique,
      u.statut_diffusion = 'O' AND e.statut_diffusion = 'O'
        AND NOT EXISTS (SELECT FROM oppositions o WHERE o.siren = u.siren) AS is_open,
      ARRAY[u.denomination, u.sigle, e.enseigne1, e.enseigne2, e.enseigne3, e.denomination_usuelle]
        AS names
    FROM unites_legales u JOIN etablissements e USING (siren)
    WHERE e.siret = ANY(:sirets)
    ORDER BY u.siren, e.siret FOR SHARE OF u, e
""")
_STORED = text("""
    SELECT digest, siret, published_on, updated_on, verbatim FROM sources
    WHERE digest = ANY(:digests) ORDER BY digest FOR UPDATE
""")
_KEEP = text(f"""
    INSERT INTO sources AS s (digest, siren, {", ".join(_COLUMNS)})
    VALUES (:digest, left(:siret, 9), {_VALUES})
    ON CONFLICT (digest) DO UPDATE SET
      siren = excluded.siren, {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)},
      read_at = CASE WHEN (s.verbatim, s.author_label) = (excluded.verbatim, excluded.author_label)
        THEN s.read_at END
    WHERE ({", ".join(f"s.{name}" for name in _COLUMNS)})
      IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _COLUMNS)})
    RETURNING xmax = 0 AS is_new
""")
_MARK_READ = text("""
    UPDATE sources SET read_at = clock_timestamp()
    WHERE digest = ANY(CAST(:digests AS bytea[])) AND read_at IS NULL
""")
# A review of the first format had no id, and its words on one line.
_REPLACE_FORMER = text("""
    DELETE FROM sources WHERE site IS NULL AND siret = :siret AND author_label = :author_label
      AND published_on = :published_on AND (verbatim = :one_line OR url = :url)
""")
# Even where it finds nothing, it holds the table against a withdrawal.
_WITHDRAWN = text("SELECT digest FROM withdrawn_reviews WHERE digest = ANY(:digests) FOR SHARE")
_READ = text(f"""
    SELECT {", ".join(_COLUMNS)} FROM sources
    WHERE siret = ANY(:sirets) AND site IS NOT NULL
    ORDER BY siret, published_on DESC, digest
""")


@dataclass(frozen=True, slots=True)
class ReviewedPlace:
    """An establishment that is stored; `refusal` says why no review of it may be kept."""

    refusal: str | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredReview:
    """The stored row of a review that is imported again."""

    siret: str
    last_changed_on: dt.date
    verbatim: str


def read_places(connection: Connection, sirets: Sequence[str]) -> dict[str, ReviewedPlace]:
    """Return the establishments that are stored, by SIRET; they stay locked."""
    rows = connection.execute(_PLACES, {"sirets": sorted(set(sirets))}).all()
    return {row.siret: ReviewedPlace(_refusal(row), tuple(filter(None, row.names))) for row in rows}


def _refusal(row: Any) -> str | None:
    if not row.is_open:
        return "its unit must not be written about"
    if row.categorie_juridique in {SOLE_TRADER, None}:
        return "the establishment is a sole trader's: reviews of it are a person's data"
    return None


def read_stored(connection: Connection, sources: Iterable[Source]) -> dict[bytes, StoredReview]:
    """Return what is stored of these reviews, by digest; it stays locked."""
    digests = sorted({source.digest for source in sources})
    rows = connection.execute(_STORED, {"digests": digests}).all()
    return {
        bytes(row.digest): StoredReview(row.siret, row.updated_on or row.published_on, row.verbatim)
        for row in rows
    }


def keep_source(connection: Connection, source: Source) -> bool | None:
    """Store a source. Return True if it is new, False if it changed, None if it is the same."""
    values = source.columns() | {"digest": source.digest}
    connection.execute(_REPLACE_FORMER, values | {"one_line": clean_name(source.verbatim)})
    is_new: bool | None = connection.execute(_KEEP, values).scalar_one_or_none()
    return is_new


def mark_read(connection: Connection, sources: Iterable[Source]) -> None:
    """Keep that an editor has read these reviews as they are stored; their rows are locked."""
    digests = [source.digest for source in sources]
    if digests:
        connection.execute(_MARK_READ, {"digests": digests})


def read_withdrawn(connection: Connection, sources: Iterable[Source]) -> set[bytes]:
    """Return the digests of those that were withdrawn; none is withdrawn until the commit."""
    digests = {
        each: source.digest
        for source in sources
        for each in (source.digest, url_digest(source.url))
    }
    found = connection.execute(_WITHDRAWN, {"digests": sorted(digests)}).scalars()
    return {digests[bytes(each)] for each in found}


def read_sources(connection: Connection, sirets: Sequence[str]) -> Mapping[str, list[Source]]:
    """Return the sources by SIRET, the latest first; none without the particulars of the law."""
    found: dict[str, list[Source]] = {}
    rows: Sequence[Any] = connection.execute(_READ, {"sirets": list(sirets)}).mappings().all()
    for row in rows:
        values = {**row, "verification": Verification(row["verification"])}
        found.setdefault(row["siret"], []).append(Source.model_construct(**values))
    return found
