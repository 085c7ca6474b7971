"""Units, establishments, their history and what follows from them, written from mapped records."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from services.writer.copying import copy_into
from services.writer.merging import newest_by_key
from services.writer.pages import renew_pages
from services.writer.reading import Row, Sent
from services.writer.statements import (
    FIND_STALE,
    LOCK_UNITES,
    RENEW_ETABLISSEMENTS,
    RENEW_UNITES,
    STAMPS,
    UPSERT_ETABLISSEMENTS,
    UPSERT_UNITES,
)
from services.writer.subjects import made_subjects
from services.writer.tombstones import BURY, FIND_HIDDEN, HIDE, HOLD_EDGES
from shared.sirene.identifiers import siren_of
from shared.sirene.lines import texts_of
from shared.sirene.mapped import ETABLISSEMENT_COLUMNS, PERIODE_COLUMNS, UNITE_COLUMNS


class _Tables(NamedTuple):
    unites: str
    etablissements: str
    periodes: str


_STAGED = _Tables("new_unites", "new_etablissements", "new_periodes")
_STORED = _Tables("unites_legales", "etablissements", "periodes_etablissements")
_KEY = attrgetter("key")


@dataclass(frozen=True, slots=True)
class Stale:
    """Records of which the stored rows say something else, with all others of the same keys.

    `new`: the sirets and sirens that no row stood for. `has_failed`: a record of the slice, stale
    or not, has an open failed item. `only_stamps`: nothing is stale but stamps of rows without a
    date.
    """

    sent: list[Sent]
    new: frozenset[str]
    has_failed: bool
    only_stamps: bool


@dataclass(frozen=True, slots=True)
class Written:
    """Establishments that were new and establishments that changed."""

    inserted: int = 0
    updated: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.inserted + other.inserted, self.updated + other.updated)


class _New(NamedTuple):
    """A row to be; what its version is made of is read of the few that have a rival."""

    key: str
    columns: Sequence[str]
    mapped: str
    content_hash: str
    periodes: Sequence[str] = ()

    @classmethod
    def unite(cls, row: Row) -> "_New":
        sent = row.sent
        return cls(sent.siren, UNITE_COLUMNS, row.mapped.unite_line, sent.unite_hash)

    @classmethod
    def etablissement(cls, row: Row) -> "_New":
        mapped, sent = row
        return cls(
            sent.siret,
            ETABLISSEMENT_COLUMNS,
            mapped.etablissement_line,
            sent.etablissement_hash,
            mapped.periodes_lines,
        )

    @property
    def statut_diffusion(self) -> str:
        return self._text("statut_diffusion")

    @property
    def date_dernier_traitement(self) -> dt.datetime | None:
        text = self._text("date_dernier_traitement")
        return dt.datetime.fromisoformat(text) if text else None

    def _text(self, column: str) -> str:
        return texts_of(self.mapped)[self.columns.index(column)]

    def line(self, stamp: str) -> str:
        return f"{self.mapped}\t\\\\x{self.content_hash}\t{stamp}"


@dataclass(frozen=True, slots=True)
class _Ways:
    """Rows that go straight into their table, and rows that are compared with what is stored."""

    straight: Sequence[_New]
    staged: Sequence[_New]

    @classmethod
    def of(cls, everything: Sequence[_New], new: Collection[str]) -> "_Ways":
        return cls(
            [each for each in everything if each.key in new],
            [each for each in everything if each.key not in new],
        )

    @property
    def all(self) -> Sequence[_New]:
        return (*self.straight, *self.staged)

    def all_staged(self) -> "_Ways":
        return _Ways((), self.all)


def find_stale(connection: Connection, sent: Sequence[Sent], fetched_at: dt.datetime) -> Stale:
    """Compare what was sent with what is stored: one probe of each table's key for each record."""
    unites = dict.fromkeys([(siren_of(one.siret), one.unite_hash) for one in sent])
    found = FIND_STALE.run(
        connection,
        {
            "sirets": " ".join([one.siret for one in sent]),
            "etablissement_hashes": " ".join([one.etablissement_hash for one in sent]),
            # Most establishments of one unit say the same of it.
            "sirens": " ".join([siren for siren, _ in unites]),
            "unite_hashes": " ".join([unite_hash for _, unite_hash in unites]),
            "fetched_at": fetched_at,
        },
    ).one()
    new = frozenset(found.new_sirets).union(found.new_sirens)
    sirens = new.union(found.changed_sirens, found.aged_sirens)
    sirets = new.union(found.changed_sirets, found.aged_sirets)
    return Stale(
        [one for one in sent if one.siret in sirets or siren_of(one.siret) in sirens]
        if sirets or sirens
        else [],
        new,
        found.has_failed,
        only_stamps=not (new or found.changed_sirets or found.changed_sirens),
    )


def renew_stamps(connection: Connection, sent: Sequence[Sent], fetched_at: dt.datetime) -> None:
    """What a row without a date is told by is when it was last fetched; nothing else is written."""
    if not sent:
        return
    for statement, rows in (
        (RENEW_UNITES, dict.fromkeys((one.siren, one.unite_hash) for one in sent)),
        (RENEW_ETABLISSEMENTS, dict.fromkeys((one.siret, one.etablissement_hash) for one in sent)),
    ):
        statement.run(
            connection,
            {
                "keys": " ".join([key for key, _ in rows]),
                "hashes": " ".join([digest for _, digest in rows]),
                "fetched_at": fetched_at,
            },
        )


def write_rows(
    connection: Connection,
    rows: Sequence[Row],
    *,
    new: Collection[str],
    fetched_at: dt.datetime,
    sole_traders: bool,
) -> Written:
    """Write rows of one GET; the number of statements does not depend on how many they are.

    `new`: sirets and sirens whose rows go straight into their tables, which costs half of the way
    over the temporary ones; a unique violation where somebody was faster. The temporary tables of
    `statements.CREATE_NEW` are there and empty.
    Raises psycopg2's own errors (COPY) and SQLAlchemy's.
    """
    stamp = fetched_at.isoformat()
    sent_unites = newest_by_key(map(_New.unite, rows), _KEY, fetched_at)
    found = HOLD_EDGES.run(
        connection,
        {
            "edges": sorted({rows[0].sent.siren, rows[-1].sent.siren}.intersection(new)),
            "sirens": " ".join([each.key for each in sent_unites if each.key in new]),
        },
    ).one()
    unites = _Ways.of(sent_unites, frozenset(new).difference(found.made))
    etablissements = _Ways.of(newest_by_key(map(_New.etablissement, rows), _KEY, fetched_at), new)
    if found.hidden:
        unites, etablissements = unites.all_staged(), etablissements.all_staged()
    if unites.staged or etablissements.staged:
        unites, etablissements = _stage(connection, unites, etablissements, stamp)
    _copy_unites(connection, _STORED, unites.straight, stamp)
    straight = [each.key for each in unites.straight]
    upserted = [row.key for row in UPSERT_UNITES.run(connection)] if unites.staged else []
    _copy_etablissements(connection, _STORED, etablissements.straight, stamp)
    written = [(each.key, True) for each in etablissements.straight]
    if etablissements.staged:
        written += [(row.key, row.inserted) for row in UPSERT_ETABLISSEMENTS.run(connection)]
    # A unit that was not written may be stored as a newer version.
    current = frozenset(straight).union(upserted)
    lines = {each.key: each.mapped for each in unites.all if each.key in current}
    renew_pages(
        connection,
        sirets=[siret for siret, _ in written],
        # Of a new unit others are stored only where they came before it, from a stock file.
        sirens=straight + upserted if found.awaited else upserted,
        sole_traders=sole_traders,
        made=made_subjects(
            [
                (lines[siren], each.mapped)
                for each in etablissements.straight
                if (siren := siren_of(each.key)) in lines
            ],
            sole_traders=sole_traders,
        ),
    )
    inserted = sum(is_new for _, is_new in written)
    return Written(inserted=inserted, updated=len(written) - inserted)


def _stage(
    connection: Connection, unites: _Ways, etablissements: _Ways, stamp: str
) -> tuple[_Ways, _Ways]:
    """Bring the staged rows into the temporary tables, all rows where some must be hidden."""
    _copy_unites(connection, _STAGED, unites.staged, stamp)
    _copy_etablissements(connection, _STAGED, etablissements.staged, stamp)
    LOCK_UNITES.run(connection)
    # After the lock, which an eraser takes as well.
    whose = FIND_HIDDEN.run(connection).one()
    if whose.hidden:
        _copy_unites(connection, _STAGED, unites.straight, stamp)
        _copy_etablissements(connection, _STAGED, etablissements.straight, stamp)
        unites, etablissements = unites.all_staged(), etablissements.all_staged()
        LOCK_UNITES.run(connection)
        connection.execute(HIDE)
    if whose.hidden or whose.turned:
        connection.execute(BURY)
    return unites, etablissements


def _copy_unites(
    connection: Connection, tables: _Tables, unites: Sequence[_New], stamp: str
) -> None:
    if unites:
        lines = [new.line(stamp) for new in unites]
        _copy(connection, tables.unites, UNITE_COLUMNS + STAMPS, lines)


def _copy_etablissements(
    connection: Connection, tables: _Tables, etablissements: Sequence[_New], stamp: str
) -> None:
    """Copy them and their history."""
    if not etablissements:
        return
    _copy(
        connection,
        tables.etablissements,
        ETABLISSEMENT_COLUMNS + STAMPS,
        [new.line(stamp) for new in etablissements],
    )
    _copy(
        connection,
        tables.periodes,
        PERIODE_COLUMNS,
        [line for new in etablissements for line in new.periodes],
    )


_copy = partial(copy_into, null="")
