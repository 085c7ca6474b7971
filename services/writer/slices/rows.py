"""Units, establishments, their history and what follows from them, written from mapped records."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from services.writer.erasure.tombstones import BURY, FIND_HIDDEN, HIDE, HOLD_EDGES
from services.writer.mapping.copy_lines import texts_of
from services.writer.mapping.rows import ETABLISSEMENT_COLUMNS, PERIODE_COLUMNS, UNITE_COLUMNS
from services.writer.pages.pages import renew_pages
from services.writer.pages.subjects import PageSubject, made_subjects
from services.writer.slices.decode import MappedRow
from services.writer.slices.statements import (
    HOLD_SAME,
    LOCK_UNITES,
    STAMPS,
    UPSERT_ETABLISSEMENTS,
    UPSERT_UNITES,
)
from services.writer.slices.versions import newest_by_key
from services.writer.sql.copy import copy_into
from shared.sirene.identifiers import siren_of


class _Tables(NamedTuple):
    unites: str
    etablissements: str
    periodes: str


_STAGED = _Tables("new_unites", "new_etablissements", "new_periodes")
_STORED = _Tables("unites_legales", "etablissements", "periodes_etablissements")
_KEY = attrgetter("key")


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
    def unite(cls, row: MappedRow) -> "_New":
        sent = row.sent
        return cls(sent.siren, UNITE_COLUMNS, row.mapped.unite_line, sent.unite_hash)

    @classmethod
    def etablissement(cls, row: MappedRow) -> "_New":
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


def write_rows(
    connection: Connection,
    rows: Sequence[MappedRow],
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
    unites, etablissements, standing, awaited = _ways(connection, rows, new, fetched_at)
    if unites.staged or etablissements.staged:
        unites, etablissements = _stage(connection, unites, etablissements, stamp)
    _copy_unites(connection, _STORED, unites.straight, stamp)
    straight = [each.key for each in unites.straight]
    upserted = [row.key for row in UPSERT_UNITES.run(connection)] if unites.staged else []
    _copy_etablissements(connection, _STORED, etablissements.straight, stamp)
    written = [(each.key, True) for each in etablissements.straight]
    if etablissements.staged:
        written += [(row.key, row.inserted) for row in UPSERT_ETABLISSEMENTS.run(connection)]
    current = frozenset(straight).union(upserted)
    renew_pages(
        connection,
        sirets=[siret for siret, _ in written],
        # Of a new unit others are stored only where they came before it, from a stock file.
        sirens=straight + upserted if awaited else upserted,
        sole_traders=sole_traders,
        made=_made(
            # A unit that was not written may be stored as a newer version.
            [*standing, *(each for each in unites.all if each.key in current)],
            etablissements.straight,
            sole_traders=sole_traders,
        ),
    )
    inserted = sum(is_new for _, is_new in written)
    return Written(inserted=inserted, updated=len(written) - inserted)


def _made(
    unites: Iterable[_New], inserted: Iterable[_New], *, sole_traders: bool
) -> Sequence[PageSubject]:
    """What follows from the inserted establishments of these units, which are stored as given."""
    lines = {each.key: each.mapped for each in unites}
    return made_subjects(
        [
            (lines[siren], each.mapped)
            for each in inserted
            if (siren := siren_of(each.key)) in lines
        ],
        sole_traders=sole_traders,
    )


def _ways(
    connection: Connection, rows: Sequence[MappedRow], new: Collection[str], fetched_at: dt.datetime
) -> tuple[_Ways, _Ways, Sequence[_New], bool]:
    """Those of units and of establishments, the units that need none, and `HOLD_EDGES.awaited`."""
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
        return unites.all_staged(), etablissements.all_staged(), (), found.awaited
    if not etablissements.staged and _all_stand(connection, unites.staged, fetched_at):
        return _Ways(unites.straight, ()), etablissements, unites.staged, found.awaited
    return unites, etablissements, (), found.awaited


def _all_stand(connection: Connection, unites: Sequence[_New], fetched_at: dt.datetime) -> bool:
    """Hold these units, if all of them are stored as they came."""
    if not unites:
        return False
    held = HOLD_SAME.run(
        connection,
        {
            "sirens": " ".join([each.key for each in unites]),
            "versions": " ".join([each.key + each.content_hash for each in unites]),
            "fetched_at": fetched_at,
        },
    ).all()
    return len(held) == len(unites)


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
