"""The stored rows of sirets, with which INSEE's records are compared."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, text

from services.fetcher.certificates.contents import Difference, Stored, StoredRow, extra_page
from services.fetcher.plan.windows import Window
from shared.sirene.identifiers import siren_of
from shared.sirene.records import Etablissement, Page, PeriodeEtablissement, UniteLegale

_SIRETS_AT_ONCE = 1000


def _columns(record: type[UniteLegale | Etablissement | PeriodeEtablissement | Page]) -> str:
    return ", ".join(field.name for field in fields(record))


_ETABLISSEMENTS = text(f"""
    SELECT {_columns(Etablissement)}, content_hash, fetched_at, coalesce(buried, false) AS buried,
      EXISTS (SELECT FROM absences a WHERE a.siret = e.siret AND a.page_closed_at IS NOT NULL
        AND e.fetched_at <= a.asked_at) AS absent
    FROM etablissements e WHERE siret = ANY(:sirets)
""")
_UNITES = text(f"""
    SELECT {_columns(UniteLegale)}, content_hash, fetched_at, coalesce(buried, false) AS buried,
      EXISTS (SELECT FROM oppositions o WHERE o.siren = u.siren) AS opposed
    FROM unites_legales u WHERE siren = ANY(:sirens)
""")
_PERIODES = text(f"""
    SELECT {_columns(PeriodeEtablissement)} FROM periodes_etablissements
    WHERE siret = ANY(:sirets) ORDER BY siret, rang
""")
_PAGES = text(f"SELECT {_columns(Page)} FROM pro_localisations WHERE siret = ANY(:sirets)")
# A page tells its place itself; only an open establishment has an open one.
_ROWLESS_PAGES = text("""
    SELECT p.siret FROM pro_localisations p
    WHERE p.status = 'open'
      AND NOT EXISTS (SELECT FROM etablissements e WHERE e.siret = p.siret)
      AND (CAST(:departement AS text) IS NULL OR :departement = left(p.code_commune,
        CASE WHEN p.code_commune ~ '^9[78]' THEN 3 ELSE 2 END))
      AND (CAST(:code_commune AS text) IS NULL OR p.code_commune = :code_commune)
      AND (CAST(:activite_principale AS text) IS NULL
        OR p.activite_principale = :activite_principale)
      AND coalesce(:etat_administratif, 'A') = 'A'
      AND (CAST(:siret_from AS text) IS NULL OR p.siret >= :siret_from)
      AND (CAST(:siret_to AS text) IS NULL OR p.siret <= :siret_to)
    ORDER BY p.siret LIMIT :most
""")


class StoredRows:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, sirets: Sequence[str]) -> dict[str, Stored]:
        """Return what is stored of each siret, as of one moment; they are as many as a page."""
        if not sirets:
            return {}
        with self._engine.connect().execution_options(
            isolation_level="REPEATABLE READ"
        ) as connection:
            return _read(connection, sirets)

    def extra_pages(self, sirets: Sequence[str]) -> Iterator[Difference]:
        """Find the open pages that nothing allows, of sirets that INSEE does not list."""
        for siret, stored in self._read_all(sirets):
            if (difference := extra_page(siret, stored)) is not None:
                yield difference

    def fingerprints(self, sirets: Sequence[str]) -> dict[str, int]:
        """Return for each siret what a `Difference` keeps of its rows."""
        return {siret: hash(stored) for siret, stored in self._read_all(sirets)}

    def _read_all(self, sirets: Sequence[str]) -> Iterator[tuple[str, Stored]]:
        for start in range(0, len(sirets), _SIRETS_AT_ONCE):
            yield from self.read(sirets[start : start + _SIRETS_AT_ONCE]).items()

    def rowless_pages(self, window: Window, *, most: int) -> list[str]:
        """Return the sirets of open pages in the window that no stored row belongs to."""
        with self._engine.connect() as connection:
            return list(connection.scalars(_ROWLESS_PAGES, {**vars(window), "most": most}))


def _read(connection: Connection, sirets: Sequence[str]) -> dict[str, Stored]:
    by_siret = {"sirets": list(sirets)}
    by_siren = {"sirens": list(dict.fromkeys(map(siren_of, sirets)))}
    etablissements = _by(connection.execute(_ETABLISSEMENTS, by_siret).mappings(), "siret")
    unites = _by(connection.execute(_UNITES, by_siren).mappings(), "siren")
    rows_of_unites = {siren: _stamped(UniteLegale, row) for siren, row in unites.items()}
    periodes: dict[str, list[PeriodeEtablissement]] = defaultdict(list)
    for periode in connection.execute(_PERIODES, by_siret).mappings():
        periodes[periode["siret"]].append(PeriodeEtablissement(**periode))
    pages = _by(connection.execute(_PAGES, by_siret).mappings(), "siret")
    found: dict[str, Stored] = {}
    for siret in sirets:
        siren, row, page = siren_of(siret), etablissements.get(siret), pages.get(siret)
        found[siret] = Stored(
            etablissement=None if row is None else _stamped(Etablissement, row),
            unite=rows_of_unites.get(siren),
            periodes=tuple(periodes[siret]),
            page=None if page is None else Page(**page),
            opposed=siren in unites and unites[siren]["opposed"],
            absent=row is not None and row["absent"],
        )
    return found


def _by(rows: Iterable[RowMapping], key: str) -> Mapping[str, RowMapping]:
    return {row[key]: row for row in rows}


def _stamped(kind: type[Any], row: RowMapping) -> StoredRow:
    return StoredRow(
        kind.from_row(row), bytes(row["content_hash"]), row["fetched_at"], row["buried"]
    )
