"""Units, establishments, their periods and their pages, written from mapped records."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import Connection

from services.writer.erasure.hidden import BURY, FIND_HIDDEN, HIDE
from services.writer.erasure.hidden_stored import hide_stored
from services.writer.erasure.tombstones import HOLD_EDGES
from services.writer.pages.pages import renew_pages
from services.writer.pages.subjects import made_subjects
from services.writer.slices import statements
from services.writer.slices.decode import MappedRow
from services.writer.slices.refresh import rewrite
from shared.db.copy_rows import copy_into
from shared.sirene.identifiers import is_siret, siren_of
from shared.sirene.mapping.copy_values import texts_of
from shared.sirene.mapping.rows import ETABLISSEMENT_COLUMNS, PERIODE_COLUMNS, UNITE_COLUMNS
from shared.sirene.versions import newest_by_key

_PERIODES = {"etablissements": "periodes_etablissements", "new_etablissements": "new_periodes"}
_KEY = attrgetter("key")


@dataclass(frozen=True, slots=True)
class Written:
    """Counts of the rows that were new, and of those that changed."""

    inserted: int = 0
    updated: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(self.inserted + other.inserted, self.updated + other.updated)


class _Row(NamedTuple):
    """A row to write; its version is read from its line where two rows have one key: rarely."""

    key: str
    columns: Sequence[str]
    mapped: str
    content_hash: str
    periodes: Sequence[str] = ()

    @classmethod
    def unite(cls, row: MappedRow) -> "_Row":
        sent = row.sent
        return cls(sent.siren, UNITE_COLUMNS, row.mapped.unite_line, sent.unite_hash)

    @classmethod
    def etablissement(cls, row: MappedRow) -> "_Row":
        mapped, sent = row
        line, digest = mapped.etablissement_line, sent.etablissement_hash
        return cls(sent.siret, ETABLISSEMENT_COLUMNS, line, digest, mapped.periodes_lines)

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
class _Routes:
    """Rows that go straight into their table, and rows that are compared with the stored ones."""

    straight: Sequence[_Row]
    staged: Sequence[_Row]

    @classmethod
    def of(cls, everything: Sequence[_Row], new: Collection[str]) -> "_Routes":
        return cls(
            [each for each in everything if each.key in new],
            [each for each in everything if each.key not in new],
        )

    def all_staged(self) -> "_Routes":
        return _Routes((), (*self.straight, *self.staged))

    def among(self, keys: Collection[str]) -> Sequence[_Row]:
        return [each for each in (*self.straight, *self.staged) if each.key in keys]


@dataclass(frozen=True, slots=True)
class WriteRules:
    """A refresh writes also rows and pages that are not what their digests say."""

    fetched_at: dt.datetime
    sole_traders: bool
    refresh: bool = False


def write_rows(
    connection: Connection,
    rows: Sequence[MappedRow],
    rules: WriteRules,
    *,
    new: Collection[str],
) -> Written:
    """Write rows of one GET; the number of statements does not depend on the number of rows.

    `new`: sirets and sirens without a row. They go straight into the tables, at half the cost of
    the way over the temporary tables. The temporary tables of `statements.CREATE_NEW` are there
    and empty. Raises psycopg2's errors (COPY) and SQLAlchemy's, among them a unique violation where
    another writer was faster with a new row.
    """
    stamp = rules.fetched_at.isoformat()
    unites, etablissements, unchanged, awaited = _choose_routes(connection, rows, rules, new)
    hidden: Sequence[str] = ()
    if unites.staged or etablissements.staged:
        unites, etablissements, hidden = _stage(connection, unites, etablissements, stamp)
    _copy(connection, "unites_legales", unites.straight, stamp)
    upserted = (
        [row.key for row in statements.UPSERT_UNITES.run(connection)] if unites.staged else []
    )
    _copy(connection, "etablissements", etablissements.straight, stamp)
    written = [(each.key, True) for each in etablissements.straight]
    if etablissements.staged:
        written += [
            (row.key, row.inserted) for row in statements.UPSERT_ETABLISSEMENTS.run(connection)
        ]
    written += [(key, False) for key in hidden if is_siret(key)]
    upserted += [key for key in hidden if not is_siret(key)]
    pages: Collection[str] = [siret for siret, _ in written]
    if rules.refresh:
        sirens, sirets = rewrite(connection)
        upserted += sirens
        written += [(siret, False) for siret in sirets]
        pages = {row.siret for row in rows}
    current = [*(each.key for each in unites.straight), *upserted]
    # A unit that was not written may be stored in a newer version.
    stored = {each.key: each.mapped for each in (*unchanged, *unites.among(frozenset(current)))}
    made = [
        (stored[siren], each.mapped)
        for each in etablissements.straight
        if (siren := siren_of(each.key)) in stored
    ]
    renew_pages(
        connection,
        sirets=sorted(pages),
        # A new unit has other stored establishments only where a stock file brought them before it.
        sirens=current if awaited else upserted,
        sole_traders=rules.sole_traders,
        made=made_subjects(made, sole_traders=rules.sole_traders),
    )
    _note_turns(connection, rows)
    inserted = sum(is_new for _, is_new in written)
    return Written(inserted=inserted, updated=len(written) - inserted)


def _note_turns(connection: Connection, rows: Sequence[MappedRow]) -> None:
    """Note the days on which periods that came begin to hold; nearly no slice has one."""
    coming = [(row.siret, day) for row in rows if (day := row.mapped.turns_on) is not None]
    if coming:
        # The latest day comes first: the first day of two versions of a record stays.
        turns = dict(sorted(coming, reverse=True))
        days = {"sirets": list(turns), "days": list(turns.values())}
        statements.NOTE_TURNS.run(connection, days)


def _choose_routes(
    connection: Connection, rows: Sequence[MappedRow], rules: WriteRules, new: Collection[str]
) -> tuple[_Routes, _Routes, Sequence[_Row], bool]:
    """Return the routes of units and of establishments, the unchanged units, and `awaited`.

    `awaited` is that of `HOLD_EDGES`.
    """
    sent_unites = newest_by_key(map(_Row.unite, rows), _KEY, rules.fetched_at)
    found = HOLD_EDGES.run(
        connection,
        {
            "edges": sorted({rows[0].sent.siren, rows[-1].sent.siren}.intersection(new)),
            "sirens": " ".join([each.key for each in sent_unites if each.key in new]),
        },
    ).one()
    unites = _Routes.of(sent_unites, frozenset(new).difference(found.made))
    etablissements = _Routes.of(
        newest_by_key(map(_Row.etablissement, rows), _KEY, rules.fetched_at), new
    )
    if found.hidden:
        return unites.all_staged(), etablissements.all_staged(), (), found.awaited
    may_hold = not (etablissements.staged or rules.refresh)
    if may_hold and _hold_unchanged(connection, unites.staged, rules.fetched_at):
        return _Routes(unites.straight, ()), etablissements, unites.staged, found.awaited
    return unites, etablissements, (), found.awaited


def _hold_unchanged(
    connection: Connection, unites: Sequence[_Row], fetched_at: dt.datetime
) -> bool:
    """Hold the units; return whether all of them are stored as they came."""
    if not unites:
        return False
    held = statements.HOLD_SAME.run(
        connection,
        {
            "sirens": " ".join([each.key for each in unites]),
            "versions": " ".join([each.key + each.content_hash for each in unites]),
            "fetched_at": fetched_at,
        },
    ).all()
    return len(held) == len(unites)


def _stage(
    connection: Connection, unites: _Routes, etablissements: _Routes, stamp: str
) -> tuple[_Routes, _Routes, Sequence[str]]:
    """Copy the staged rows into the temporary tables; all rows where some must be hidden.

    Return with the routes the numbers of the stored rows that this slice hides.
    """
    hidden: Sequence[str] = ()
    _copy(connection, "new_unites", unites.staged, stamp)
    _copy(connection, "new_etablissements", etablissements.staged, stamp)
    statements.LOCK_UNITES.run(connection)
    # The look comes after the lock, which an erasure takes as well.
    found = FIND_HIDDEN.run(connection).one()
    if found.hidden:
        _copy(connection, "new_unites", unites.straight, stamp)
        _copy(connection, "new_etablissements", etablissements.straight, stamp)
        unites, etablissements = unites.all_staged(), etablissements.all_staged()
        statements.LOCK_UNITES.run(connection)
        connection.execute(HIDE)
    if found.hidden or found.turned:
        connection.execute(BURY)
    if found.turned:
        hidden = hide_stored(connection)
    return unites, etablissements, hidden


def _copy(connection: Connection, table: str, rows: Sequence[_Row], stamp: str) -> None:
    """Copy units, or establishments with their periods."""
    if not rows:
        return
    lines = [row.line(stamp) for row in rows]
    copy_into(connection, table, (*rows[0].columns, *statements.STAMPS), lines, null="")
    if periodes := _PERIODES.get(table):
        lines = [line for row in rows for line in row.periodes]
        copy_into(connection, periodes, PERIODE_COLUMNS, lines, null="")
