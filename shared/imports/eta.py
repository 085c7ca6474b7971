"""The estimated end of an import, its rests between days included."""

from dataclasses import dataclass

from shared.imports.pace import Rate
from shared.imports.progress import MAX_ROWS_PER_REQUEST, Progress

_SECONDS_OF_A_DAY = 86_400.0


@dataclass(frozen=True)
class Eta:
    """The end comes in `seconds`, plus or minus `uncertainty_seconds` where these are known."""

    seconds: float
    uncertainty_seconds: float | None


def eta_of(rate: Rate, left: int) -> Eta | None:
    """Return the time for the `left` rows at this rate; None while nothing moves."""
    seconds = rate.eta_seconds(left)
    return None if seconds is None else Eta(seconds, rate.eta_uncertainty_seconds(left))


def eta_of_rows(progress: Progress, rate: Rate) -> Eta | None:
    """Return the time to the last row of the runs that are not paused.

    For a daily import: whole days and then part of the last.

    `rate` begins anew after each rest. None before INSEE has told a total, and while rows should
    come and none do.
    """
    if progress.expected is None:
        return None
    left = max(0, progress.expected - progress.received - progress.paused_rows)
    next_day_at = progress.resting_until or progress.day_ends_at
    if progress.per_day is None or next_day_at is None:
        return eta_of(rate, left)
    today = 0 if progress.resting_until else progress.per_day - progress.rows_today
    later = left - max(0, min(left, today))
    if later == 0:
        return eta_of(rate, left)
    whole_days, rows_before_last = divmod(later - 1, progress.per_day)
    day_seconds = progress.day_seconds or _SECONDS_OF_A_DAY
    begins_seconds = (next_day_at - progress.at).total_seconds() + whole_days * day_seconds
    last = eta_of(rate, rows_before_last + 1) or _at_the_quota(progress, rows_before_last + 1)
    return Eta(begins_seconds + last.seconds, last.uncertainty_seconds)


def _at_the_quota(progress: Progress, rows: int) -> Eta:
    """Return the time for these rows at the quota: no rate is known while the import rests."""
    per_second = (progress.quota_per_minute or 1) * MAX_ROWS_PER_REQUEST / 60
    return Eta(rows / per_second, rows / per_second)
