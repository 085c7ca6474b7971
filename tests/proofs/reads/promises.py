"""The promises to readers beside an import, each with its measure and verdict. Pure."""

from collections.abc import Iterable, Sequence

from tests.proofs.promises import Promise, exactly
from tests.proofs.reads.answers import ReadAnswer, ReadKind, ReadRun

MOST_MILLISECONDS = 50.0
MOST_LAG_SECONDS = 5.0
_SOUND = frozenset({200, 301, 303, 304, 404, 410})


def judge_reads(run: ReadRun) -> list[Promise]:
    stale = sum(each.is_stale for each in run.answers)
    broken = sum(each.status == 0 or each.status >= 500 for each in run.answers)
    refused = sum(0 < each.status < 500 and each.status not in _SOUND for each in run.answers)
    missing = [kind for kind in ReadKind if not run.of(kind)]
    return [
        exactly("kinds of reads that were never asked", 0, len(missing)),
        Promise("erasures beside the readers", "≥ 1", str(run.erasures), run.erasures > 0),
        exactly("stale answers", 0, stale),
        exactly("answers of 5xx, or none", 0, broken),
        exactly("refused answers (4xx but 404, 410)", 0, refused),
        *(_time(f"{kind}, p95", run.of(kind)) for kind in (ReadKind.SEARCH, ReadKind.PAGE)),
        _lag([each.lag_seconds for each in run.lags]),
    ]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share does not exceed; of none, infinity."""
    ordered = sorted(values)
    if not ordered:
        return float("inf")
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _time(name: str, answers: Sequence[ReadAnswer]) -> Promise:
    p95 = percentile((each.milliseconds for each in answers), 0.95)
    kept = p95 <= MOST_MILLISECONDS
    return Promise(name, f"≤ {MOST_MILLISECONDS:.0f} ms", f"{p95:.1f} ms", kept)


def _lag(lags: Sequence[float]) -> Promise:
    p95 = percentile(lags, 0.95)
    kept = p95 <= MOST_LAG_SECONDS
    return Promise("lag of the index, p95", f"≤ {MOST_LAG_SECONDS:.0f} s", f"{p95:.1f} s", kept)


def figures_of(run: ReadRun) -> dict[str, object]:
    """Return the number of answers and their times by kind."""
    return {
        "erasures": run.erasures,
        "most_lag_seconds": max((each.lag_seconds for each in run.lags), default=None),
        **{kind.value: _figures(run.of(kind)) for kind in ReadKind},
    }


def _figures(answers: Sequence[ReadAnswer]) -> dict[str, object]:
    times = [each.milliseconds for each in answers]
    shares = {f"p{share:g}_ms": percentile(times, share / 100) for share in (50, 95, 99)}
    return {"answers": len(answers), **(shares if times else {})}
