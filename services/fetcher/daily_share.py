"""The daily share of a run: its rows of a day, given out to pages before their GET.

Rows of `import_pages` alone count the share, under a lock on the run: any number of fetchers take
from it, and a kill or a restart loses nothing. A page counts on the day of its first answer; when
it is fetched again because its slices were lost, it brings no new rows. A page whose GET fails
keeps its part until it succeeds, or until the day is over.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from shared.db.days import day_end, day_start
from shared.errors import UserError
from shared.imports.orders import find_under_way, order_import
from shared.imports.scope import Scope

_AT = "coalesce(CAST(:at AS timestamptz), now())"
# The run is locked after the page, as in the writer.
_LOCK_RUN = text(f"""
    SELECT r.id, r.per_day, {day_start(_AT)} AS starts_at, {day_end(_AT)} AS ends_at
    FROM import_batches b JOIN import_runs r ON r.id = b.run_id
    WHERE b.id = :batch_id FOR NO KEY UPDATE OF r
""")
_PART = text("""
    SELECT share_day, share_rows, records FROM import_pages
    WHERE batch_id = :batch_id AND number = :page
""")
_GIVEN_OUT = text("""
    SELECT coalesce(sum(p.share_rows), 0)::bigint
    FROM import_pages p JOIN import_batches b ON b.id = p.batch_id
    WHERE p.share_day = :day AND b.run_id = :run_id
""")
_TAKE_PART = text("""
    UPDATE import_pages SET share_day = :day, share_rows = :rows
    WHERE batch_id = :batch_id AND number = :page
""")
# The sweeper sends the page again when the run no longer rests.
_GIVE_PAGE_BACK = text("""
    UPDATE import_pages
    SET share_day = NULL, share_rows = NULL, lease_token = NULL, lease_until = NULL,
        starts = starts - 1, moved_at = '-infinity'
    WHERE batch_id = :batch_id AND number = :page
""")
_REST = text("UPDATE import_runs SET resting_until = :until WHERE id = :run_id")
_GO_ON = text("""
    UPDATE import_runs r SET resting_until = NULL FROM import_batches b
    WHERE b.id = :batch_id AND r.id = b.run_id AND r.resting_until IS NOT NULL
""")

# The run rests no longer, because the share of today may have grown.
_CHANGE = text("""
    UPDATE import_runs SET per_day = :per_day, day_seconds = :day_seconds, resting_until = NULL
    WHERE id = :run_id AND (per_day, day_seconds) IS DISTINCT FROM (:per_day, :day_seconds)
""")

# Several times the register: a larger number is a typing error.
MOST_ROWS = 1_000_000_000
_SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True)
class Rhythm:
    """The rows of a day at most; `day_seconds` None is the calendar's day."""

    per_day: int
    day_seconds: float | None = None


def checked_rhythm(
    per_day: int | None, day_seconds: float | None, *, continuous: bool
) -> Rhythm | None:
    """Return None without a share. Raises UserError where options are out of range or missing."""
    if per_day is None:
        if continuous:
            raise UserError("--continuous needs a daily share: --per-day 35000 --continuous")
        if day_seconds is not None:
            raise UserError("--day-seconds goes with --per-day and --continuous")
        return None
    if not continuous:
        raise UserError(f"--per-day goes with --continuous; for one share alone: --limit {per_day}")
    if not 1 <= per_day <= MOST_ROWS:
        raise UserError(f"--per-day {per_day} makes no sense: use 1 to {MOST_ROWS}")
    if day_seconds is not None and not 1 <= day_seconds <= _SECONDS_OF_A_DAY:
        raise UserError(
            f"--day-seconds {day_seconds:g} makes no sense: use 1 to {_SECONDS_OF_A_DAY}"
        )
    return Rhythm(per_day, day_seconds)


@dataclass(frozen=True)
class Part:
    """The rows that a page may ask for, on the day that ends at `ends_at`.

    `ends_at` is None for a page that was fetched before: its rows are counted already.
    """

    rows: int
    ends_at: datetime | None


def take_part(
    connection: Connection, *, batch_id: int, page: int, wanted: int, at: datetime | None = None
) -> Part | None:
    """Give a leased page its part of the day of `at`, by default of now.

    None where nothing is left: the page loses its lease, and the run rests until the day ends.
    """
    place = {"batch_id": batch_id, "page": page}
    run = connection.execute(_LOCK_RUN, place | {"at": at}).one()
    part = connection.execute(_PART, place).one()
    if part.records is not None and part.share_rows is not None:
        return Part(max(1, part.share_rows), None)
    if part.share_day == run.starts_at and part.share_rows:
        return Part(part.share_rows, run.ends_at)
    given_out = {"run_id": run.id, "day": run.starts_at}
    left = run.per_day - connection.execute(_GIVEN_OUT, given_out).scalar_one()
    if left <= 0:
        connection.execute(_GIVE_PAGE_BACK, place)
        connection.execute(_REST, {"run_id": run.id, "until": run.ends_at})
        return None
    rows = min(wanted, left)
    connection.execute(_TAKE_PART, {**place, "day": run.starts_at, "rows": rows})
    return Part(rows, run.ends_at)


def give_back_rest(connection: Connection, *, batch_id: int) -> None:
    """Wake the run: a page had fewer rows than its part, so the share is not used up."""
    connection.execute(_GO_ON, {"batch_id": batch_id})


class DailyOrder(NamedTuple):
    """An order of a daily import; `goes_on` where a run of the scope was open already.

    `was` is what this run had until now: a rhythm, or None where it had no share.
    """

    run_id: int
    goes_on: bool
    was: Rhythm | None = None


def order_daily(
    engine: Engine, scope: Scope | None, rhythm: Rhythm, *, row_limit: int | None
) -> DailyOrder:
    """Continue the open import of this scope at the rhythm, or order it.

    Without a scope: the only open daily import, else the whole register. Raises UserError where
    several are open.
    """
    with engine.begin() as connection:
        runs = find_under_way(connection, scope, row_limit=row_limit)
        if len(runs) > 1 and scope is None:
            numbers = ", ".join(str(run.run_id) for run in runs)
            raise UserError(f"several daily imports are under way (runs {numbers}): name a place")
        if not runs:
            bounds = {"row_limit": row_limit, **asdict(rhythm)}
            return DailyOrder(order_import(connection, scope or Scope(), **bounds), goes_on=False)
        run_id, per_day, day_seconds = runs[0]
        connection.execute(_CHANGE, asdict(rhythm) | {"run_id": run_id})
        was = None if per_day is None else Rhythm(per_day, day_seconds)
        return DailyOrder(run_id, goes_on=True, was=was)
