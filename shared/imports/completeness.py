"""The communes of which the register has every establishment: only there may a text count them.

Two things say so, and nothing else: stock files that are the whole register, kept up by deltas
since, or a certificate that compared sets of sirets over a scope with the commune
(docs/adr/0027-trades.md). What is too old says nothing.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, text

from shared.days import FRANCE, day_in_france
from shared.imports.scope import Scope

FRESH_DAYS = 45
"""A month's stock files come some days after its beginning, and the next ones a month later."""

# Each unit has one head office: a file that lacks more of them is an extract.
_LEAST_HEAD_OFFICES = 0.999
# The first delta after the load must begin where the files end: a watermark that an import of a
# part had set before, to a later day, leaves a gap behind it.
_LOADED_UNTIL = text("""
    SELECT m.treated_until
    FROM watermarks m
    JOIN stock_loads e ON e.collection = m.collection
    JOIN stock_loads u ON u.collection = 'unites_legales' AND u.file_date = e.file_date
    CROSS JOIN LATERAL (
      SELECT least(e.treated_until, e.file_date + time '23:59:59') AS treated_until) reached
    WHERE m.collection = 'etablissements'
      AND e.status IN ('stored', 'complete') AND u.status IN ('stored', 'complete')
      AND NOT e.forced AND NOT u.forced
      AND e.head_offices >= :least_head_offices * u.rows
      AND e.refused = (
        SELECT count(*) FROM stock_chunks c, unnest(c.refused_keys) AS r (key)
        WHERE c.load_id = e.id AND r.key IS NOT NULL)
      AND NOT EXISTS (SELECT FROM stock_loads later
        WHERE later.collection = e.collection AND later.way = 'swap' AND later.id > e.id
          AND later.status IN ('stored', 'complete'))
      AND (m.treated_until = reached.treated_until OR EXISTS (
        SELECT FROM treatment_windows w JOIN import_runs r ON r.id = w.run_id
        WHERE w.collection = m.collection AND w.settled_at IS NOT NULL
          AND r.created_at > e.finished_at AND w.treated_from <= reached.treated_until))
    LIMIT 1
""")
# A record that could not be stored may be of any commune.
_LACKS_ROWS = text("""
    SELECT EXISTS (
      SELECT FROM failed_items f
      WHERE f.kind = 'write' AND f.resolved_at IS NULL
        AND NOT EXISTS (SELECT FROM etablissements e WHERE e.siret = f.key))
""")
_CERTIFIED = text("""
    SELECT scope, finished_at FROM certificates
    WHERE status = 'agree' AND finished_at >= :since ORDER BY finished_at DESC
""")


@dataclass(frozen=True)
class Completeness:
    """The day of which whole stock files tell, and the scopes that agreed, the latest first."""

    loaded: dt.date | None
    certified: Sequence[tuple[Scope, dt.date]]

    def month_of(self, code_commune: str) -> dt.date | None:
        """Return the first day of the month as of which the commune is complete, if it is.

        Its open establishments are.
        """
        return self._month(lambda scope: scope.holds_commune(code_commune))

    @property
    def month(self) -> dt.date | None:
        """Return the same of all France, where closed establishments are complete, too."""
        return self._month(attrgetter("is_whole"))

    def _month(self, is_meant: Callable[[Scope], bool]) -> dt.date | None:
        days = [day for scope, day in self.certified if is_meant(scope)][:1]
        days += [] if self.loaded is None else [self.loaded]
        return max(days).replace(day=1) if days else None


def read_completeness(
    control: Connection, *, now: dt.datetime, shards: Sequence[Connection] = ()
) -> Completeness:
    """Return what says that the register is complete.

    `shards` are the databases of the register; without them it is in `control`.
    """
    return Completeness(_loaded_on(control, now, shards or (control,)), _certified(control, now))


def _loaded_on(
    control: Connection, now: dt.datetime, shards: Sequence[Connection]
) -> dt.date | None:
    until = control.scalar(_LOADED_UNTIL, {"least_head_offices": _LEAST_HEAD_OFFICES})
    oldest = now.astimezone(FRANCE).replace(tzinfo=None) - dt.timedelta(days=FRESH_DAYS)
    if until is None or until < oldest or any(shard.scalar(_LACKS_ROWS) for shard in shards):
        return None
    day: dt.date = until.date()
    return day


def _certified(control: Connection, now: dt.datetime) -> list[tuple[Scope, dt.date]]:
    """Return the scopes that agreed, the latest first, with the day."""
    rows = control.execute(_CERTIFIED, {"since": now - dt.timedelta(days=FRESH_DAYS)})
    return [
        (_scope_of(each), day_in_france(row.finished_at))
        for row in rows
        for each in row.scope.get("scopes", [row.scope])
    ]


def _scope_of(kept: dict[str, Any]) -> Scope:
    known = {each.name for each in fields(Scope)}
    return Scope(**{name: value for name, value in kept.items() if name in known})
