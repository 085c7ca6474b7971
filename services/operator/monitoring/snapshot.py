"""A snapshot of the whole, in numbers: the view draws it, and `monitor --json` prints it.

Rates are per second and rounded to 3 decimals. None is a number that nobody knows yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.operator.monitoring.outside import Memory
from services.operator.monitoring.queues import Queue
from shared.alerts import Alert


@dataclass(frozen=True)
class RowsProgress:
    """`today` and `per_day` are None where no open import has a daily share."""

    received: int
    expected: int | None
    per_second: float | None
    per_second_15_minutes: float | None
    per_second_of_run: float | None
    today: int | None
    per_day: int | None
    resting_until: str | None
    eta_seconds: float | None
    eta_uncertainty_seconds: float | None


@dataclass(frozen=True)
class AvisProgress:
    """`renewals_at_a_rate` are those of the `pending` that wait for their turn, or are held."""

    due: int
    accepted: int
    pending: int
    renewals_at_a_rate: int
    rejected: int
    per_second: float | None
    rejected_attempts_by_reason: Mapping[str, int]
    eta_seconds: float | None
    eta_uncertainty_seconds: float | None


@dataclass(frozen=True)
class QuotaUse:
    requests_per_minute: float | None
    used_last_minute: int
    left_this_minute: int | None
    share_left_by_others: float | None
    slot_use: float | None
    page_fill: float | None
    pause_seconds: float | None
    requests: int
    http_429: int


@dataclass(frozen=True)
class Spend:
    """`cap_eur` is None where there is no cap.

    While texts are paused `paused_because` says why: `cap`, `asked` or `sample`. `throttled` are
    the providers that answer nothing but 429, each with the time of the first, since the epoch.
    """

    spent_eur: float
    reserved_eur: float
    cap_eur: float | None
    paused_because: str | None
    throttled: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """`alerts` come critical first, from the source that `alerts_by` names; `batches` by status.

    `freshness_seconds` is the age of INSEE's last treatment up to which the register is complete.
    """

    event: str
    at: str
    rows: RowsProgress
    avis: AvisProgress
    runs_open: int
    batches: Mapping[str, int]
    quota: QuotaUse
    failed_items_open: Mapping[str, int]
    dead_letters_waiting: int
    spend: Spend
    alerts: Sequence[Alert]
    alerts_by: str
    warning: str | None
    error: str | None
    queues: Sequence[Queue]
    queues_note: str | None
    memory: Sequence[Memory]
    note: str | None
    freshness_seconds: float | None = None
