"""The promises, each with its measure and verdict. Pure: samples and facts are given."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.imports.progress import Progress
from shared.terminal.words import mib, thousands
from tests.proofs.process_usage import ProcessUsage
from tests.proofs.samples import Sample

MIB = 1 << 20
MOST_RSS_BYTES = 150 * MIB
MOST_RSS_BYTES_TOGETHER = 500 * MIB
MOST_LOG_BYTES = 200 * 10**6
MOST_CONNECTIONS = 20
LEAST_SLOT_USE = 0.97
MOST_GROWTH = 1.05
MOST_ETA_ERROR = 0.05
# Before this share of a run its rate is not known yet.
_ETA_FROM = 0.1
# A shorter run ends before its memory is warm and its rate steady: neither is judged.
LEAST_SECONDS = 240.0


@dataclass(frozen=True)
class EndState:
    """The end state, read as sets: counts could cancel out."""

    promised_rows: int
    stored: int
    missing: int
    surplus: int
    duplicates: int
    counters_agree: bool
    slot_use: float | None
    """The share of request slots in use; None where the import rests between its days."""


@dataclass(frozen=True)
class Promise:
    name: str
    promised: str
    measured: str
    kept: bool


def judge(samples: Sequence[Sample], facts: EndState) -> list[Promise]:
    logs = samples[-1].log_bytes
    return [
        *judge_end(facts),
        *judge_work(samples[-1]),
        *_slot_use(facts.slot_use),
        *judge_memory(samples, MOST_RSS_BYTES),
        _memory_together(samples),
        Promise("log bytes", "< 200 MB", f"{logs / 10**6:.1f} MB", logs < MOST_LOG_BYTES),
        judge_connections(samples),
        *_eta(samples),
    ]


def judge_work(work: Sample | Progress) -> list[Promise]:
    return [
        exactly("quota errors (429)", 0, work.http_429),
        exactly("failed items", 0, work.failed_items),
        exactly("avis accepted, of those due", work.avis_due, work.avis.get("accepted", 0)),
        exactly("avis rejected for good", 0, work.avis.get("rejected", 0)),
    ]


def judge_end(facts: EndState) -> list[Promise]:
    agree = "yes" if facts.counters_agree else "no"
    return [
        exactly("establishments stored", facts.promised_rows, facts.stored),
        exactly("missing", 0, facts.missing),
        exactly("surplus", 0, facts.surplus),
        exactly("duplicates", 0, facts.duplicates),
        Promise("counters equal real counts", "yes", agree, facts.counters_agree),
    ]


def _slot_use(measured: float | None) -> list[Promise]:
    if measured is None:
        return []
    kept = measured >= LEAST_SLOT_USE
    return [Promise("slot use", f"≥ {LEAST_SLOT_USE:.2f}", f"{measured:.3f}", kept)]


def exactly(name: str, promised: int, measured: int) -> Promise:
    return Promise(name, thousands(promised), thousands(measured), promised == measured)


def at_most(
    name: str, bound: int, measured: int, told: Callable[[int], str] = thousands
) -> Promise:
    return Promise(name, f"≤ {told(bound)}", told(measured), measured <= bound)


def judge_memory(samples: Sequence[Sample], most_bytes: int) -> list[Promise]:
    """Judge the size of each process, and its growth where the run is long."""
    promises = []
    for name in process_names(samples):
        sizes = values_of(samples, name, lambda usage: usage.rss_bytes)
        promises.append(at_most(f"RSS of {name}", most_bytes, max(sizes), mib))
        if is_long(samples):
            promises.append(judge_growth(name, sizes))
    return promises


def _memory_together(samples: Sequence[Sample]) -> Promise:
    most = max(sum(usage.rss_bytes for usage in each.processes.values()) for each in samples)
    return at_most("RSS of all services", MOST_RSS_BYTES_TOGETHER, most, mib)


def judge_connections(samples: Sequence[Sample]) -> Promise:
    most = max(each.connections for each in samples)
    return at_most("database connections", MOST_CONNECTIONS, most)


def process_names(samples: Sequence[Sample]) -> list[str]:
    return sorted({name for each in samples for name in each.processes})


def values_of(
    samples: Sequence[Sample], name: str, value: Callable[[ProcessUsage], int]
) -> list[int]:
    return [value(each.processes[name]) for each in samples if name in each.processes]


def is_long(samples: Sequence[Sample]) -> bool:
    return samples[-1].at_seconds - samples[0].at_seconds >= LEAST_SECONDS


def judge_growth(name: str, sizes: Sequence[int]) -> Promise:
    second, last = second_and_last_quarter(sizes)
    growth = last / second
    return Promise(f"growth of {name}", f"≤ {MOST_GROWTH}", f"{growth:.3f}", growth <= MOST_GROWTH)


def second_and_last_quarter(values: Sequence[int]) -> tuple[float, float]:
    """Return the medians of both quarters, of four values or more."""
    quarter = len(values) // 4
    return (statistics.median(values[quarter : 2 * quarter]), statistics.median(values[-quarter:]))


def eta_errors(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """List the moments in seconds, and the error of the foretold end as a share of the whole time.

    The end is the last row of the import.
    """
    total = samples[-1].received
    end = next(each.at_seconds for each in samples if each.received == total)
    begin = next((each.at_seconds for each in samples if each.received), end)
    whole = end - begin
    return [
        (each.at_seconds, (each.at_seconds + each.eta_seconds - end) / whole)
        for each in samples
        if whole > 0 and each.eta_seconds is not None and begin < each.at_seconds < end
    ]


def _eta(samples: Sequence[Sample]) -> list[Promise]:
    if not is_long(samples):
        return []
    errors = eta_errors(samples)
    first, last = (errors[0][0], errors[-1][0]) if errors else (0.0, 0.0)
    judged = [abs(error) for at, error in errors if at - first >= _ETA_FROM * (last - first)]
    worst = max(judged, default=math.nan)
    kept = worst <= MOST_ETA_ERROR
    return [Promise("ETA error from 10 % on", "≤ 5 % of the time", f"{worst:.1%}", kept)]
