"""The turns of establishments: on its day a period enters the row, the page and the text."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from services.writer.erasure.tombstones import hold_unites
from services.writer.pages.pages import renew_pages
from services.writer.slices.statements import CREATE_NEW
from services.writer.sql.conflicts import retry_conflicts
from services.writer.turns import statements
from shared.clock import Clock
from shared.days import day_in_france
from shared.sirene.identifiers import siren_of

log = structlog.get_logger()

_ROWS = 500
_ATTEMPTS = 5


def turn_some(connection: Connection, *, on: dt.date, sole_traders: bool) -> int:
    """Turn the next establishments whose day has come; return how many turns were due.

    A turn changes no version: it shows what INSEE has told already.
    """
    due = connection.scalars(statements.DUE, {"on": on, "rows": _ROWS}).all()
    if not due:
        return 0
    hold_unites(connection, sorted({siren_of(siret) for siret in due}))
    sirets = connection.scalars(statements.STILL_DUE, {"on": on, "sirets": due}).all()
    for statement in (statements.KEEP_EARLY, statements.BRING, statements.MOVE_ON):
        connection.execute(statement, {"on": on, "sirets": sirets})
    connection.execute(CREATE_NEW)
    renew_pages(connection, sirets=sirets, sirens=[], sole_traders=sole_traders)
    return len(due)


def turn_next(engine: Engine, *, on: dt.date, sole_traders: bool) -> int:
    """Do `turn_some` in a transaction; repeat it after a conflict with another one."""
    work = partial(turn_some, on=on, sole_traders=sole_traders)
    return retry_conflicts(engine, work, attempts=_ATTEMPTS)


def postpone_due(connection: Connection, *, on: dt.date) -> None:
    """Keep periods that lie ahead out of `stock_due`, the rows that are about to be merged."""
    for statement in (
        statements.DROP_OVERTAKEN,
        statements.KEEP_AHEAD,
        statements.NOTE_AHEAD,
        statements.POSTPONE_AHEAD,
        statements.NOTE_DUE,
    ):
        connection.execute(statement, {"on": on})


def make_due(connection: Connection, *, on: dt.date) -> None:
    """Make the noted rows of a load due, now that they are the register."""
    connection.execute(statements.MAKE_DUE, {"on": on})


@dataclass(frozen=True)
class Turns:
    """Looks for establishments whose day has come. Many writers may do so at one time."""

    engines: Sequence[Engine]
    clock: Clock
    sole_traders: bool

    def step(self) -> None:
        on = day_in_france(self.clock.now())
        for engine in self.engines:
            turned = 0
            while not self.clock.stopping.is_set():
                some = turn_next(engine, on=on, sole_traders=self.sole_traders)
                turned += some
                if not some:
                    break
            if turned:
                log.info("periods began", establishments=turned)
