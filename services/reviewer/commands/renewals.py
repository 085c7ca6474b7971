"""The renewals that wait, their time at the rate that a person has set, and the sweep for more."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from sqlalchemy import Engine, text

from services.reviewer.commands.databases import Databases, databases
from services.reviewer.contexts.sweep import ask_for_sweep
from shared.money.budget import read_budget
from shared.terminal.cli import AsJson, print_result
from shared.terminal.words import thousands

_WAITING = text("SELECT count(*) FROM avis WHERE outcome = 'pending' AND renewal_rank IS NOT NULL")
_LAST = text("""
    SELECT began_at, ended_at, after_id, checked, made_due,
      (SELECT count(*) FROM avis
       WHERE id > after_id AND outcome = 'accepted' AND kind = 'notice') AS left_over
    FROM context_sweeps ORDER BY id DESC LIMIT 1
""")
_DAYS_OF_A_LONG_TIME = 14
_FURTHEST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class RenewalPace:
    """Renewals that wait, and how many may begin in a day: None is no limit."""

    waiting: int
    per_day: int | None

    @property
    def days(self) -> float | None:
        """Return the time at the rate; None where it sets none, or has no end."""
        return self.waiting / self.per_day if self.per_day else None

    @property
    def are_held(self) -> bool:
        return self.per_day == 0

    def as_dict(self) -> dict[str, Any]:
        days = None if self.days is None else round(self.days, 2)
        return {"waiting": self.waiting, "per_day": self.per_day, "days": days}


def read_renewals(opened: Databases) -> RenewalPace:
    with opened.control.connect() as connection:
        per_day = read_budget(connection).renewals_per_day
    return RenewalPace(count_renewals(opened.shards), per_day)


def count_renewals(engines: Sequence[Engine]) -> int:
    waiting = 0
    for engine in engines:
        with engine.connect() as connection:
            waiting += connection.execute(_WAITING).scalar_one()
    return waiting


def renewals_line(pace: RenewalPace, now: dt.datetime | None = None) -> str:
    """Say the renewals in a sentence."""
    wait = f"renewals: {thousands(pace.waiting)} wait"
    if pace.per_day is None:
        return f"{wait}, as fast as reviewers make them"
    if pace.are_held:
        return f"{wait}, held: ./sirenade avis budget --renewals-per-day N lets N a day begin"
    told = f"{wait}, at most {thousands(pace.per_day)} a day begin"
    if not pace.waiting or pace.days is None:
        return told
    return f"{told}: {told_days(pace.days)}{_until(pace.days, now or dt.datetime.now(dt.UTC))}"


def told_days(days: float) -> str:
    """Write the time of renewals in hours, days or weeks."""
    if days < 1:
        return f"{days * 24:.1f} h"
    return f"{days:.1f} days" if days < _DAYS_OF_A_LONG_TIME else f"{days / 7:.1f} weeks"


def _until(days: float, now: dt.datetime) -> str:
    if not 1 <= days < _FURTHEST_DAYS:
        return ""
    return f", until {now.astimezone() + dt.timedelta(days=days):%d/%m/%Y}"


def sweep(
    now: Annotated[bool, typer.Option("--now", help="Begin a sweep unless one is open.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the last sweep of each database, which makes texts of another context due.

    Reviewers do the work.
    """
    with databases() as opened:
        if now:
            for engine in opened.shards:
                with engine.begin() as connection:
                    ask_for_sweep(connection)
        found = _read_sweeps(opened.shards)
    lines = [_told_sweep(each) for each in found] or ["no sweep has begun"]
    print_result(found, *lines, as_json=as_json)


def _read_sweeps(shards: Sequence[Engine]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, engine in enumerate(shards):
        with engine.connect() as connection:
            row = connection.execute(_LAST).mappings().one_or_none()
        if row is not None:
            left_over = row["left_over"] if row["ended_at"] is None else 0
            found.append({"shard": number, **row, "left_over": left_over})
    return found


def _told_sweep(found: dict[str, Any]) -> str:
    done = f"{thousands(found['checked'])} texts checked, {thousands(found['made_due'])} made due"
    if found["ended_at"] is not None:
        return f"shard {found['shard']}: {done}; ended {found['ended_at']:%d/%m/%Y %H:%M}"
    return f"shard {found['shard']}: {done}, {thousands(found['left_over'])} left"
