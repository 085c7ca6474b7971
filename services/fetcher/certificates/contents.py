"""The comparison of INSEE's records with the rows stored of them, column by column. Pure.

A row is what INSEE's record maps to, with the code that the writer uses, unless it is rightly
another one: a version that is newer than the record, a row that hides a person, a row from a stock
file that lacks columns. A page is what the rows of its establishment and unit give.
"""

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from shared.days import day_in_france
from shared.sirene.digests import Digests, digests_of, split_record
from shared.sirene.identifiers import siren_of
from shared.sirene.mapping.mapper import map_split
from shared.sirene.mapping.rows import MappedRecord
from shared.sirene.pages import page_of
from shared.sirene.records import (
    OPEN_TO_ALL,
    PARTIAL,
    PERSONAL_ETABLISSEMENT_FIELDS,
    PERSONAL_UNITE_FIELDS,
    SIGN_FIELDS,
    STOCK_OPTIONAL_FIELDS,
    Etablissement,
    Page,
    PeriodeEtablissement,
    UniteLegale,
)
from shared.sirene.values import MappingError
from shared.sirene.versions import Version

UNITES, ETABLISSEMENTS = "unites_legales", "etablissements"
PERIODES, PAGES = "periodes_etablissements", "pro_localisations"
_DIGEST_BYTES: Final = 16
_FROM_STOCK = frozenset({b"", b"\x00"})
_NOT_KEPT_BEFORE = frozenset({"nom_source"})
"""A page of an older release gets it when it is renewed."""

_FIELDS: Mapping[type[Any], Sequence[str]] = {
    kind: [field.name for field in dataclasses.fields(kind)]
    for kind in (UniteLegale, Etablissement, PeriodeEtablissement, Page)
}
Columns = tuple[str, ...]
"""Each differing row by its column: one that is in two rows of a history stands there twice."""


class StoredRow(NamedTuple):
    """The row of a unit or an establishment, and what says which version of it is stored."""

    record: UniteLegale | Etablissement
    content_hash: bytes
    fetched_at: dt.datetime
    buried: bool

    @property
    def is_from_stock(self) -> bool:
        return self.content_hash in _FROM_STOCK

    @property
    def is_hidden(self) -> bool:
        """Say whether the row was emptied here: its digest then has a byte more."""
        return len(self.content_hash) % _DIGEST_BYTES == 1

    def is_newer(self, sent: UniteLegale | Etablissement, seen_at: dt.datetime) -> bool:
        """Say whether the record is an older version; a P that INSEE shows now always hides."""
        record = self.record
        if sent.statut_diffusion == PARTIAL and record.statut_diffusion == OPEN_TO_ALL:
            return False
        version = Version.of(record, self.fetched_at)
        version = dataclasses.replace(version, partial=version.partial and not self.buried)
        return version > Version.of(sent, seen_at)


class Stored(NamedTuple):
    """All that is stored of one siret. `absent`: INSEE's answer to the number closed its page."""

    etablissement: StoredRow | None = None
    unite: StoredRow | None = None
    periodes: tuple[PeriodeEtablissement, ...] = ()
    page: Page | None = None
    opposed: bool = False
    absent: bool = False


class Difference(NamedTuple):
    """A siret whose rows differ. Those of its unit stand with the unit's first one in the walk.

    `seen` tells what was stored when it was compared.
    """

    siret: str
    unite: Columns
    own: Columns
    seen: int


class _Compared(NamedTuple):
    """The columns of a row that differ, and the row as it should be; None where it is newer."""

    columns: Sequence[str] | None
    right: Any


RowT = TypeVar("RowT", UniteLegale, Etablissement, PeriodeEtablissement, Page)


class ContentComparison:
    """Compares a walk of one window, in the order of its sirets; holds one unit at a time."""

    def __init__(self) -> None:
        self._siren = ""
        self._unite: UniteLegale | None = None

    def differences(
        self,
        records: Iterable[tuple[str, object]],
        stored: Mapping[str, Stored],
        seen_at: dt.datetime,
    ) -> Iterator[Difference]:
        """Compare records of one GET, each with its siret; one that is not stored is left out.

        `refused` is a record that the writer refuses as well.
        """
        for siret, record in records:
            rows = stored[siret]
            if rows.etablissement is None:
                continue
            try:
                split = split_record(record)
                digests, mapped = digests_of(split), map_split(split, on=day_in_france(seen_at))
            except MappingError:
                yield Difference(siret, (), (_name(ETABLISSEMENTS, "refused"),), hash(rows))
                continue
            unite = self._compare_unite(mapped, digests, rows, seen_at)
            own = self._compare_own(mapped, digests, rows, seen_at)
            if unite or own:
                yield Difference(siret, tuple(unite), tuple(own), hash(rows))

    def _compare_unite(
        self, mapped: MappedRecord, digests: Digests, rows: Stored, seen_at: dt.datetime
    ) -> Sequence[str]:
        siren = siren_of(mapped.siret)
        if siren == self._siren:
            return ()
        self._siren, self._unite = siren, mapped.unite
        if rows.unite is None:
            return [_name(UNITES, "missing")]
        compared = _compare_row(rows.unite, mapped.unite, digests.unite, rows.opposed, seen_at)
        self._unite = compared.right
        return [f"{UNITES}.{name}" for name in compared.columns or ()]

    def _compare_own(
        self, mapped: MappedRecord, digests: Digests, rows: Stored, seen_at: dt.datetime
    ) -> Sequence[str]:
        assert rows.etablissement is not None
        assert self._unite is not None
        row = rows.etablissement
        columns, right = _compare_row(
            row, mapped.etablissement, digests.etablissement, rows.opposed, seen_at
        )
        found = [f"{ETABLISSEMENTS}.{name}" for name in columns or ()]
        if columns is not None and not row.is_from_stock:
            found += _compare_periodes(mapped.periodes, rows)
        page = None if rows.absent else page_of(right, self._unite)
        return [*found, *_compare_page(page, rows.page)]


def extra_page(siret: str, stored: Stored) -> Difference | None:
    """Return the open page of a siret that INSEE does not list, where nothing allows it."""
    if stored.page is None or stored.page.status != "open":
        return None
    if stored.etablissement is not None and not stored.absent:
        return None
    return Difference(siret, (), (_name(PAGES, "surplus"),), hash(stored))


def _compare_row(
    row: StoredRow, sent: Any, digest: str, opposed: bool, seen_at: dt.datetime
) -> _Compared:
    stored = row.record
    if stored == sent:
        return _Compared((), stored)
    # The row says itself that it is this very record: nothing excuses another value.
    is_same = row.content_hash[:_DIGEST_BYTES] == bytes.fromhex(digest)
    if not is_same and row.is_newer(sent, seen_at):
        return _Compared(None, stored)
    empty: set[str] = set()
    if opposed or row.is_hidden:
        empty.update(PERSONAL_UNITE_FIELDS, PERSONAL_ETABLISSEMENT_FIELDS)
    if row.is_from_stock:
        empty.update(STOCK_OPTIONAL_FIELDS)
    names = _differing(stored, sent, may_be_empty=empty)
    if row.buried and stored.statut_diffusion == PARTIAL:
        names = [name for name in names if name != "statut_diffusion"]
    right = {name: getattr(sent, name) for name in names}
    return _Compared(names, dataclasses.replace(stored, **right))


def _compare_periodes(sent: Sequence[PeriodeEtablissement], rows: Stored) -> Iterator[str]:
    is_hidden = rows.opposed or any(
        row.is_hidden or row.record.statut_diffusion == PARTIAL
        for row in (rows.etablissement, rows.unite)
        if row is not None
    )
    empty = SIGN_FIELDS if is_hidden else ()
    stored = {each.rang: each for each in rows.periodes}
    for periode in sent:
        mine = stored.pop(periode.rang, None)
        if mine is None:
            yield _name(PERIODES, "missing")
        elif mine != periode:
            for name in _differing(mine, periode, may_be_empty=empty):
                yield f"{PERIODES}.{name}"
    for _ in stored:
        yield _name(PERIODES, "surplus")


def _compare_page(page: Page | None, stored: Page | None) -> Sequence[str]:
    """Compare an open page; one that is closed keeps what it showed last."""
    is_open = stored is not None and stored.status == "open"
    if page is None or page.status != "open":
        return [_name(PAGES, "surplus")] if is_open else []
    if stored is None:
        return [_name(PAGES, "missing")]
    if not is_open:
        return [f"{PAGES}.status"]
    names = _differing(stored, page, may_be_empty=_NOT_KEPT_BEFORE)
    return [f"{PAGES}.{name}" for name in names]


def _differing(stored: RowT, right: RowT, *, may_be_empty: Collection[str]) -> list[str]:
    return [
        name
        for name in _FIELDS[type(stored)]
        if (value := getattr(stored, name)) != getattr(right, name)
        and not (value is None and name in may_be_empty)
    ]


def _name(table: str, state: str) -> str:
    """Name whole rows: `pro_localisations (missing)`."""
    return f"{table} ({state})"
