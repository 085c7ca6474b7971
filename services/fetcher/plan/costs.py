"""The cost of a plan: a page is a request, and the quota says how many leave in a minute. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.fetcher.plan.windows import MOST_ROWS_UNCUT, PlannedBatch
from shared.terminal.words import thousands

# The files of the whole register, from the first row to the last page, on two cores.
STOCK_MINUTES = 120


@dataclass(frozen=True)
class Cost:
    """The cost in requests and time; `is_counted` is False where `rows` is only an upper bound."""

    windows: int
    rows: int
    requests: int
    minutes: float
    is_counted: bool

    def __str__(self) -> str:
        windows = "1 window" if self.windows == 1 else f"{self.windows} windows"
        bound = "" if self.is_counted else "at most "
        return (
            f"{windows}, {bound}{thousands(self.rows)} rows, {thousands(self.requests)} requests, "
            f"about {max(self.minutes, 0.1):.1f} min at the present quota"
        )


def rows_of(batch: PlannedBatch) -> int:
    """Return the counted rows, or else the most that the batch can bring."""
    if batch.expected is not None:
        return batch.expected
    return batch.row_limit or len(batch.window.sirets)


def requests_of(rows: int, rows_per_page: int) -> int:
    """Return the requests of one walk: the page that reaches the total ends it; one at least."""
    return max(1, math.ceil(rows / rows_per_page))


def cost_of(plan: Sequence[PlannedBatch], *, rows_per_page: int, per_minute: float) -> Cost:
    rows = [rows_of(batch) for batch in plan]
    requests = sum(requests_of(each, rows_per_page) for each in rows)
    is_counted = all(batch.expected is not None for batch in plan)
    return Cost(len(plan), sum(rows), requests, requests / per_minute, is_counted)


def cost_before_cuts(
    plan: Sequence[PlannedBatch], *, rows_per_page: int, per_minute: float
) -> Cost:
    """Estimate a plan whose windows are counted and not cut yet: a mass day costs no 500 counts.

    Sirens are not evenly spread: walks come out half full. Each costs its count and, at its end, a
    page that is not full.
    """
    rows = [rows_of(batch) for batch in plan]
    walks = [
        1 if each <= MOST_ROWS_UNCUT else 2 * math.ceil(each / MOST_ROWS_UNCUT) for each in rows
    ]
    requests = sum(requests_of(each, rows_per_page) for each in rows)
    requests += sum(2 * each for each in walks if each > 1)
    return Cost(sum(walks), sum(rows), requests, requests / per_minute, is_counted=True)


def stock_advice(cost: Cost) -> str | None:
    """Recommend the stock files where they are faster than a delta of the whole register."""
    if cost.minutes <= STOCK_MINUTES:
        return None
    return (
        f"the next month's stock files bring the same in some {STOCK_MINUTES // 60} hours, "
        f"where this delta takes {cost.minutes / 60:.0f}: load them (./sirenade stock FILE …), and "
        "let a delta bring the days since"
    )


def days_of(rows: int, per_day: int) -> str:
    """Say in words how many days a plan takes at this daily share."""
    days = max(1, math.ceil(rows / per_day))
    return f"{days} day{'s' if days > 1 else ''} at {thousands(per_day)} rows a day"


@dataclass(frozen=True)
class ImportForecast:
    """A plan that nobody carries out; `counts` is the number of requests that made it."""

    plan: Sequence[PlannedBatch]
    cost: Cost
    counts: int
    advice: str | None = None
