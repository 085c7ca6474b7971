"""When an import will have brought all its rows, also where it rests between its days."""

from dataclasses import dataclass

from shared.imports.progress import MAX_ROWS_PER_REQUEST, Progress, Rate

_SECONDS_OF_A_DAY = 86_400.0


@dataclass(frozen=True)
class Eta:
    """The end comes in `seconds`, give or take `uncertainty_seconds`, once they are known."""

    seconds: float
    uncertainty_seconds: float | None


def eta_of(rate: Rate, left: int) -> Eta | None:
    """None while nothing moves."""
    seconds = rate.eta_seconds(left)
    return None if seconds is None else Eta(seconds, rate.eta_uncertainty_seconds(left))


def eta_of_rows(progress: Progress, rate: Rate) -> Eta | None:
    """Of a daily import: the days that it rests until, and what the last of them takes.

    A rest is no pace: `rate` begins anew after each. None before INSEE has told a total, and while
    nothing moves that should.
    """
    if progress.expected is None:
        return None
    left = max(0, progress.expected - progress.received)
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
    """What so many rows take where no rate is known, as while the import rests."""
    per_second = (progress.quota_per_minute or 1) * MAX_ROWS_PER_REQUEST / 60
    return Eta(rows / per_second, rows / per_second)
