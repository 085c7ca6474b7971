"""A condition that people must know of, and the facts that it is judged by."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

Severity = Literal["critical", "warning"]


@dataclass(frozen=True)
class ConditionFacts:
    """One look at the databases and the queues.

    `still_seconds`: time since the last row came; `certificate_gap`: establishments by side;
    `unknown_codes`: those of the last 7 days by column; `turns_overdue`: by more than a day;
    `held_seconds`: of the text that has waited longest for a person, 0 where none waits;
    `unswept_seconds`: since a sweep of contexts ended, 0 where none began;
    `throttled_seconds`: for which a provider has answered nothing but 429;
    `freshness_seconds`: age of the register by collection; `stale_because`: why nobody knows it.
    """

    at: datetime
    unplanned_runs: int
    waiting_pages: int
    quota_pause_seconds: float
    last_request_seconds: float | None
    still_seconds: float
    left_today_rows: int
    throttled_15_minutes: int
    failed_items: int
    dead_letters: int
    budget_is_reached: bool
    certificate_gap: Mapping[str, int]
    unknown_codes: Mapping[str, int]
    turns_overdue: int
    held_texts: int
    held_seconds: float
    unswept_seconds: float
    throttled_seconds: Mapping[str, float]
    freshness_seconds: Mapping[str, float]
    stale_because: str | None


@dataclass(frozen=True)
class Alert:
    name: str
    severity: str
    summary: str


@dataclass(frozen=True)
class Condition:
    """A state in which work stands still (critical), or a person should look today (warning).

    `expression` is PromQL, `hold` how long it has to be true, `summary` a template of Prometheus,
    `dashboard` where to look. Without an expression Prometheus does not judge the condition.
    `faults` returns a sentence for each fault that one look shows.
    """

    name: str
    severity: Severity
    dashboard: str
    expression: str = ""
    hold: str = ""
    summary: str = ""
    faults: Callable[[ConditionFacts], Iterable[str]] | None = None


def severities(dashboard: str) -> tuple[partial[Condition], partial[Condition]]:
    """Return the makers of critical conditions and of warnings, shown on this dashboard."""
    critical = partial(Condition, severity="critical", dashboard=dashboard)
    return critical, partial(critical, severity="warning")
