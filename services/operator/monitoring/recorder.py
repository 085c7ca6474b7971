"""Snapshots made of readings, one after the other, and their sum at the end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.operator.monitoring.outside import Memory
from services.operator.monitoring.queues import Queues
from services.operator.monitoring.readings import Reading
from services.operator.monitoring.snapshot import (
    AvisProgress,
    QuotaUse,
    RowsProgress,
    Snapshot,
    Spend,
)
from shared.alerts import Alert, faults_in
from shared.imports.eta import Eta, eta_of, eta_of_rows
from shared.imports.pace import Rate


@dataclass(frozen=True)
class Outside:
    """State beside the databases; `alerts` is None where no Prometheus raises them."""

    queues: Queues
    memory: Sequence[Memory]
    alerts: Sequence[Alert] | None
    note: str | None = None

    def in_snapshot(self) -> dict[str, Any]:
        """Return what a snapshot shows of it, which needs no database."""
        return {
            "queues": self.queues.queues,
            "queues_note": self.queues.note,
            "memory": self.memory,
            "note": self.note,
        }


@dataclass
class Recorder:
    """Keeps the rates between readings."""

    _rows: Rate = field(default_factory=Rate)
    _avis: Rate = field(default_factory=Rate)
    _received: int = -1
    _moved_seconds: float = 0.0

    def record(self, reading: Reading, outside: Outside) -> Snapshot:
        progress = reading.progress
        at_seconds = progress.at.timestamp()
        if progress.resting_until is not None:
            self._rows = Rate()
        self._rows.add(at_seconds, progress.received)
        self._avis.add(at_seconds, progress.avis_accepted)
        if progress.received != self._received:
            self._received, self._moved_seconds = progress.received, at_seconds
        return Snapshot(
            event="progress",
            at=progress.at.isoformat(),
            rows=self._rows_progress(reading),
            avis=self._avis_progress(reading),
            runs_open=progress.runs_open,
            batches={
                "pending": progress.pending,
                "running": progress.running,
                "complete": progress.complete,
                "failed": progress.batches_failed,
            },
            quota=_quota(reading),
            failed_items_open=reading.failed_items,
            dead_letters_waiting=reading.totals["sirenade_dead_letters_waiting"],
            spend=_spend(reading),
            alerts=self._alerts(reading, outside),
            alerts_by="database" if outside.alerts is None else "prometheus",
            warning=progress.warning,
            error=progress.error,
            freshness_seconds=_rounded(progress.age_seconds),
            **outside.in_snapshot(),
        )

    def _rows_progress(self, reading: Reading) -> RowsProgress:
        progress = reading.progress
        resting_until = progress.resting_until
        return RowsProgress(
            received=progress.received,
            expected=progress.expected,
            per_second=_rounded(self._rows.per_second),
            per_second_15_minutes=_per_second(reading.rows_15_minutes, reading.recent_seconds),
            per_second_of_run=_per_second(reading.rows_of_run, reading.run_seconds),
            today=progress.rows_today if progress.per_day else None,
            per_day=progress.per_day,
            resting_until=resting_until.isoformat() if resting_until else None,
            **_eta_in_snapshot(eta_of_rows(progress, self._rows)),
        )

    def _avis_progress(self, reading: Reading) -> AvisProgress:
        progress = reading.progress
        return AvisProgress(
            due=progress.avis_due,
            accepted=progress.avis_accepted,
            pending=progress.avis_pending,
            renewals_at_a_rate=progress.renewals_at_a_rate,
            rejected=progress.avis.get("rejected", 0),
            per_second=_rounded(self._avis.per_second),
            rejected_attempts_by_reason=reading.rejections,
            **_eta_in_snapshot(eta_of(self._avis, progress.avis_due - progress.avis_accepted)),
        )

    def _alerts(self, reading: Reading, outside: Outside) -> list[Alert]:
        alerts = outside.alerts
        if alerts is None:
            facts = reading.facts(
                dead_in_queues=sum(queue.dead for queue in outside.queues.queues),
                still_seconds=reading.progress.at.timestamp() - self._moved_seconds,
            )
            alerts = faults_in(facts)
        return sorted(alerts, key=lambda alert: alert.severity != "critical")


@dataclass
class Summary:
    """Sums over the looks of a monitor; a database made anew subtracts nothing."""

    seconds: float = 0.0
    rows: int = 0
    http_429: int = 0
    texts: int = 0
    spent_eur: float = 0.0
    failed_items: int = 0
    greatest_rss_bytes: dict[str, int] = field(default_factory=dict)
    _first_seconds: float | None = None
    _last: Reading | None = None

    def add(self, reading: Reading, memory: Sequence[Memory]) -> None:
        at_seconds = reading.progress.at.timestamp()
        if self._last is None or self._first_seconds is None:
            self._first_seconds = at_seconds
        else:
            was, now = self._last.progress, reading.progress
            self.rows += max(0, now.received - was.received)
            self.http_429 += max(0, now.http_429 - was.http_429)
            self.texts += max(0, now.avis_accepted - was.avis_accepted)
            self.spent_eur += max(0.0, _spent_eur(reading) - _spent_eur(self._last))
        self.seconds = at_seconds - self._first_seconds
        self.failed_items = sum(reading.failed_items.values())
        for each in memory:
            most = self.greatest_rss_bytes.get(each.service, 0)
            self.greatest_rss_bytes[each.service] = max(most, each.rss_bytes)
        self._last = reading

    @property
    def rows_per_second(self) -> float | None:
        return _per_second(self.rows, self.seconds)

    def as_json(self) -> dict[str, object]:
        return {
            "event": "summary",
            "seconds": round(self.seconds, 1),
            "rows": self.rows,
            "rows_per_second": self.rows_per_second,
            "http_429": self.http_429,
            "texts": self.texts,
            "spent_eur": round(self.spent_eur, 8),
            "failed_items_open": self.failed_items,
            "greatest_rss_bytes": self.greatest_rss_bytes,
        }


def _quota(reading: Reading) -> QuotaUse:
    progress, totals = reading.progress, reading.totals
    limit, used = totals["sirenade_quota_limit_requests"], totals["sirenade_quota_used_requests"]
    share = totals["sirenade_quota_share_ratio"]
    return QuotaUse(
        requests_per_minute=limit,
        used_last_minute=used,
        left_this_minute=None if limit is None else max(0, math.floor(limit * share) - used),
        share_left_by_others=share,
        slot_use=_rounded(progress.slot_use),
        page_fill=_rounded(progress.page_fill),
        pause_seconds=_rounded(totals["sirenade_quota_pause_seconds"]),
        requests=progress.requests,
        http_429=progress.http_429,
    )


def _spend(reading: Reading) -> Spend:
    cap = float(reading.totals["sirenade_budget_cap_euros"] or 0)
    return Spend(
        spent_eur=_spent_eur(reading),
        reserved_eur=float(reading.totals["sirenade_budget_reserved_euros"] or 0),
        cap_eur=None if math.isinf(cap) else cap,
        paused_because=reading.progress.texts_paused,
        throttled=reading.progress.throttled,
    )


def _spent_eur(reading: Reading) -> float:
    return float(reading.totals["sirenade_budget_spent_euros"] or 0)


def _eta_in_snapshot(eta: Eta | None) -> dict[str, float | None]:
    seconds, uncertainty = (eta.seconds, eta.uncertainty_seconds) if eta else (None, None)
    return {"eta_seconds": _rounded(seconds), "eta_uncertainty_seconds": _rounded(uncertainty)}


def _per_second(rows: int, seconds: float | None) -> float | None:
    return _rounded(rows / seconds) if seconds else None


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)
