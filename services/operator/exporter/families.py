"""The metrics that are read from PostgreSQL: name, meaning, and labels with bounded values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import GaugeMetricFamily

# A number, None where it is unknown, or a mapping from a label's values to such values.
Value = Any


@dataclass(frozen=True)
class Family:
    """A gauge; `least` takes the least of several databases' values, not their sum."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    least: bool = False

    def as_metric(self, value: Value) -> GaugeMetricFamily:
        metric = GaugeMetricFamily(self.name, self.text, labels=self.labels)
        for labels, number in _flat(value, len(self.labels)):
            metric.add_metric(labels, float(number))
        return metric


def _flat(value: Value, depth: int) -> Iterator[tuple[list[str], Value]]:
    if depth == 0:
        if value is not None:
            yield [], value
        return
    for label, inner in (value or {}).items():
        for labels, number in _flat(inner, depth - 1):
            yield [label, *labels], number


def added(one: Value, other: Value, *, least: bool = False) -> Value:
    """Add the values of two databases; a value that one of them knows is known."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {
            key: added(one.get(key), other.get(key), least=least)
            for key in dict.fromkeys([*one, *other])
        }
    known = [value for value in (one, other) if value is not None]
    if not known:
        return None
    return min(known) if least else sum(known[1:], known[0])


# Cheap at any size of the register: these are read at each scrape.
WORK = (
    # ── The quota ──
    Family("sirenade_quota_limit_requests", "Requests that the quota allows in a minute."),
    Family("sirenade_quota_used_requests", "Requests granted in the last 60 s."),
    # It falls with each burst of 429 and creeps back to 1.
    Family("sirenade_quota_share_ratio", "Share of the quota that others leave to us."),
    Family("sirenade_quota_pause_seconds", "Time for which all replicas are still held back."),
    # ── The import ──
    Family("sirenade_import_runs", "Import runs by status.", ("status",)),
    Family("sirenade_import_paused_runs", "Open runs that somebody paused.", ("status",)),
    Family("sirenade_import_batches", "Import batches by status.", ("status",)),
    Family("sirenade_import_rows", "Rows of all imports by outcome.", ("outcome",)),
    Family(
        "sirenade_import_expected_rows",
        "Rows that open runs have to bring, as far as INSEE told totals.",
    ),
    Family("sirenade_import_received_rows", "Rows that open runs have brought."),
    # Requests granted since midnight in France; rows count once written, rejected ones too.
    Family("sirenade_import_today_rows", "Rows that the requests of today brought and wrote."),
    Family("sirenade_import_day_share_rows", "Rows that open daily imports may bring in a day."),
    Family(
        "sirenade_import_left_today_rows",
        "Rows that open runs have to bring until midnight, as far as INSEE told totals.",
    ),
    # An idle quota is a fault while pages wait.
    Family("sirenade_import_waiting_pages", "Pages that could be fetched now."),
    Family("sirenade_import_missing_establishments", "Establishments that batches did not store."),
    Family("sirenade_import_last_order_timestamp_seconds", "When the last run was ordered."),
    Family("sirenade_import_last_end_timestamp_seconds", "When the last run was completed."),
    Family("sirenade_day_end_timestamp_seconds", "The next midnight in France."),
    # ── How true and how fresh it is ──
    # No child before the first watermark: nothing is known yet, and zero would mean fresh.
    Family(
        "sirenade_freshness_age_seconds",
        "Time since INSEE treated what the collection is complete up to.",
        ("collection",),
    ),
    Family(
        "sirenade_freshness_unmeasured",
        "1 while imports are complete, and nothing says how old the register is.",
    ),
    Family(
        "sirenade_certificate_gap_establishments",
        "Establishments that differ from INSEE, by the latest certificate of each scope.",
        ("side",),
    ),
    # They are told by no text until a release knows them (`unknown_codes`).
    Family(
        "sirenade_unknown_codes",
        "Codes of INSEE that no table knows, first seen in the last 7 days.",
        ("field",),
    ),
    Family("sirenade_certificate_last_timestamp_seconds", "When the last certificate was done."),
    Family(
        "sirenade_turns_overdue", "Periods that began more than a day ago and hold nowhere yet."
    ),
    # ── What failed ──
    Family("sirenade_failed_items_open", "Items that failed and are not resolved.", ("kind",)),
    Family("sirenade_dead_letters_waiting", "Archived dead letters that were not replayed."),
    # ── Jobs ──
    Family(
        "sirenade_job_fault",
        "1 while a job fails again and again, or found what a person must look at.",
        ("name",),
    ),
    # No child before the first drill.
    Family(
        "sirenade_restore_drill_last_success_timestamp_seconds",
        "When a backup was last restored for a trial, and was whole.",
    ),
    Family("sirenade_restore_drill_failed", "1 while the last drill failed, or did not end."),
    # ── Texts and money ──
    Family(
        "sirenade_avis_oldest_published_timestamp_seconds",
        "When the avis that waits longest was published.",
        least=True,
    ),
    # The relay alone publishes; renewals wait for their rate.
    Family("sirenade_avis_unpublished", "1 while first texts are due and none is on its way."),
    Family("sirenade_avis_held", "Texts that wait for a person, and are not served.", ("kind",)),
    # No child while none is held.
    Family(
        "sirenade_avis_oldest_held_timestamp_seconds",
        "Since when the text waits that has waited longest for a person.",
        least=True,
    ),
    # No child before the first sweep begins, and its beginning until the first one ends.
    Family(
        "sirenade_sweep_last_end_timestamp_seconds",
        "When a sweep for texts of another context has last ended.",
        least=True,
    ),
    Family("sirenade_sweep_made_due_avis", "Texts that sweeps have made due, in all."),
    Family(
        "sirenade_budget_cap_euros", "Most that all texts may cost; +Inf where there is no cap."
    ),
    Family("sirenade_budget_spent_euros", "Money spent on texts."),
    Family("sirenade_budget_reserved_euros", "Most that calls under way may cost."),
    # The reason `cap` raises an alert; a person's wish does not.
    Family("sirenade_budget_paused", "1 while no text is begun, by the reason.", ("reason",)),
    Family(
        "sirenade_renewals_limit_avis",
        "Renewals that may begin in a day; +Inf where there is no limit.",
    ),
    Family("sirenade_provider_spent_euros", "Money spent on texts.", ("provider",)),
    Family("sirenade_provider_calls", "Calls that were settled.", ("provider",)),
    # No child for a provider that answers something else, too.
    Family(
        "sirenade_provider_throttled_timestamp_seconds",
        "Since when a provider answers nothing but 429.",
        ("provider",),
    ),
)

# These are counted anew only now and then: they read what grows with the register.
WHOLE = (
    Family("sirenade_avis", "Avis by kind and outcome.", ("kind", "outcome")),
    Family("sirenade_renewals_waiting_avis", "Avis due again, whose accepted text stands."),
    Family("sirenade_register_rows", "Rows, as PostgreSQL estimates them.", ("table",)),
    Family("sirenade_database_bytes", "Size of the databases on disk."),
    Family("sirenade_table_bytes", "Size of a table with its indexes.", ("table",)),
)
