"""The promises on a long run: nothing grows, and all that came is stored. Pure."""

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.proofs.process_usage import ProcessUsage
from tests.proofs.promises import (
    EndState,
    Promise,
    exactly,
    is_long,
    judge_end,
    judge_growth,
    judge_work,
    process_names,
    second_and_last_quarter,
    values_of,
)
from tests.proofs.samples import Sample

# More than this is growth. A median may catch this many: a connection that a pool opens for a
# moment, a log file in rotation, a thread that is being replaced.
SLACK = 2
# The import may end a little early: a delta's part of the quota is an estimate.
_LEAST_SHARE_OF_TIME = 0.9
# The quota sets the pace; a machine that has other work may miss a slot.
_LEAST_STEADINESS = 0.8
_QUARTERS = 4

_COUNTED: Sequence[tuple[str, Callable[[ProcessUsage], int]]] = (
    ("file descriptors", lambda usage: usage.files),
    ("threads", lambda usage: usage.threads),
    ("connections", lambda usage: usage.connections),
)


@dataclass(frozen=True)
class Meanwhile:
    """The deltas beside the import, and the bound of the logs."""

    asked_seconds: float
    deltas_ordered: int
    deltas_complete: int
    changes: int
    changes_stored: int
    most_log_bytes: int
    log_bound_told: str


def judge_soak(samples: Sequence[Sample], facts: EndState, meanwhile: Meanwhile) -> list[Promise]:
    last, work = samples[-1], under_way(samples)
    return [
        *judge_end(facts),
        *judge_work(last),
        *_judge_steadiness(work, meanwhile),
        *_judge_processes(work),
        Promise(
            "log files",
            f"≤ {meanwhile.most_log_bytes / 10**6:.0f} MB ({meanwhile.log_bound_told})",
            f"{last.log_bytes / 10**6:.2f} MB",
            last.log_bytes <= meanwhile.most_log_bytes,
        ),
    ]


def under_way(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return the samples from the first row to the last: before and after nothing works."""
    total = samples[-1].received
    return [
        each
        for before, each in itertools.pairwise(samples)
        if each.received and before.received < total
    ]


def _judge_steadiness(work: Sequence[Sample], meanwhile: Meanwhile) -> list[Promise]:
    seconds = work[-1].at_seconds - work[0].at_seconds
    least = _LEAST_SHARE_OF_TIME * meanwhile.asked_seconds
    ordered, complete = meanwhile.deltas_ordered, meanwhile.deltas_complete
    promises = [
        Promise("rows came for", f"≥ {least:.0f} s", f"{seconds:.0f} s", seconds >= least),
        Promise("deltas ordered", "≥ 1", str(ordered), ordered > 0),
        exactly("deltas complete", ordered, complete),
        exactly("changes that deltas brought", meanwhile.changes, meanwhile.changes_stored),
    ]
    if is_long(work):
        texts = min(_gains(work, lambda each: each.avis.get("accepted", 0)))
        promises.append(Promise("texts in the poorest quarter", "> 0", str(texts), texts > 0))
        rows = _gains(work, lambda each: each.received)
        steadiness = min(rows) / statistics.mean(rows)
        kept = steadiness >= _LEAST_STEADINESS
        promises.append(
            Promise(
                "rows in the poorest quarter, of the mean",
                f"≥ {_LEAST_STEADINESS}",
                f"{steadiness:.3f}",
                kept,
            )
        )
    return promises


def _gains(work: Sequence[Sample], value: Callable[[Sample], int]) -> list[int]:
    """Return the gain of each quarter of the run."""
    ends = [work[(len(work) - 1) * number // _QUARTERS] for number in range(_QUARTERS + 1)]
    return [value(end) - value(begin) for begin, end in itertools.pairwise(ends)]


def _judge_processes(work: Sequence[Sample]) -> list[Promise]:
    promises = []
    for name in process_names(work):
        if is_long(work):
            sizes = values_of(work, name, lambda usage: usage.rss_bytes)
            promises.append(judge_growth(name, sizes))
        for what, value in _COUNTED:
            second, last = second_and_last_quarter(values_of(work, name, value))
            promises.append(
                Promise(
                    f"{what} of {name}",
                    f"≤ {second:.0f} + {SLACK}",
                    f"{last:.0f}",
                    last <= second + SLACK,
                )
            )
    return promises
