"""Sources in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from services.reviewer.reviews.source import Source

# Open units only. The rows are locked until the commit: an erasure waits, or was first.
_OPEN = text("""
    SELECT e.siret FROM unites_legales u JOIN etablissements e USING (siren)
    WHERE e.siret = ANY(:sirets) AND u.statut_diffusion = 'O' AND e.statut_diffusion = 'O'
      AND NOT EXISTS (SELECT FROM oppositions o WHERE o.siren = u.siren)
    ORDER BY u.siren, e.siret FOR SHARE OF u, e
""")
_KEEP = text("""
    INSERT INTO sources AS s (digest, siret, siren, url, licence, author_label, published_on,
      experienced_on, verification, verbatim)
    VALUES (:digest, :siret, left(:siret, 9), :url, :licence, :author_label, :published_on,
      :experienced_on, :verification, :verbatim)
    ON CONFLICT (digest) DO UPDATE SET licence = excluded.licence,
      experienced_on = excluded.experienced_on, verification = excluded.verification
    WHERE (s.licence, s.experienced_on, s.verification)
      IS DISTINCT FROM (excluded.licence, excluded.experienced_on, excluded.verification)
    RETURNING xmax = 0 AS is_new
""")
_WITHDRAW = text("DELETE FROM sources WHERE url = :url RETURNING siret")
_READ = text("""
    SELECT siret, url, licence, author_label, published_on, experienced_on, verification, verbatim
    FROM sources WHERE siret = ANY(:sirets)
    ORDER BY siret, published_on DESC, digest
""")


def open_sirets(connection: Connection, sirets: Sequence[str]) -> frozenset[str]:
    """Return the SIRETs that are stored and of which reviews may be kept."""
    return frozenset(connection.execute(_OPEN, {"sirets": sorted(set(sirets))}).scalars())


def keep_source(connection: Connection, source: Source) -> bool | None:
    """Store a source. Return True if it is new, False if it changed, None if it is the same."""
    values = source.model_dump() | {"url": str(source.url), "digest": source.digest}
    is_new: bool | None = connection.execute(_KEEP, values).scalar_one_or_none()
    return is_new


def withdraw(connection: Connection, url: str) -> list[str]:
    """Delete the reviews published at this address; return the SIRET of each."""
    return list(connection.execute(_WITHDRAW, {"url": url}).scalars())


def read_sources(connection: Connection, sirets: Sequence[str]) -> Mapping[str, list[Source]]:
    """Return the sources by SIRET, the latest first."""
    found: dict[str, list[Source]] = {}
    rows: Sequence[Any] = connection.execute(_READ, {"sirets": list(sirets)}).mappings().all()
    for row in rows:
        found.setdefault(row["siret"], []).append(Source.model_construct(**row))
    return found
