"""The validator finds the faults of the frozen bank, at a low cost."""

import statistics

import pytest

from tests.benchmarks.figures import Figures
from tests.benchmarks.sizes import pick
from tests.mutations.bank import RESERVED, TUNING
from tests.mutations.prose import HALVES, prose, prose_scores, refused_prose
from tests.mutations.scores import (
    duplicate_recalls,
    false_rejects,
    milliseconds_per_text,
    near_neighbours,
    recalls,
)

_PER_CODE = pick(quick=20, normal=100)
_GOOD = pick(quick=200, normal=1000)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_recall_of_each_code_and_false_rejects_on_both_halves_of_the_bank(
    figures: Figures,
) -> None:
    halves = [
        [*recalls(half, _PER_CODE), *duplicate_recalls(half, _PER_CODE)]
        for half in (TUNING, RESERVED)
    ]
    lines = [
        f"{'code':22} {'tuning: named':>14} {'refused':>8} {'reserved: named':>16} {'refused':>8}"
    ]
    lines += [
        f"{tuned.code:22} {tuned.named:14.2f} {tuned.refused:8.2f} {kept.named:16.2f} "
        f"{kept.refused:8.2f}"
        for tuned, kept in zip(*halves, strict=True)
    ]
    for name, half in (("tuning", TUNING), ("reserved", RESERVED)):
        rejected = false_rejects(half, _GOOD)
        lines.append(
            f"{name}: false rejects {rejected:.2%} of the good texts, "
            f"neighbours' template texts written again {near_neighbours(half, _GOOD):.1%}"
        )
    # The half on which nothing was tuned; goals as in tests/mutations/test_validator.py.
    kept_back = halves[1]
    refused, named = (
        statistics.mean(getattr(score, verdict) for score in kept_back)
        for verdict in ("refused", "named")
    )
    figures.add("validator.recall, refused", refused, unit="of faulty texts", goal=">= 0.98")
    figures.add("validator.recall, right code", named, unit="of faulty texts", goal=">= 0.98")
    figures.add("validator.false rejects", rejected, unit="of good texts", goal="<= 0.005")
    text_ms = milliseconds_per_text(_GOOD)
    lines.append(f"validation of a good text: {text_ms:.2f} ms of processor time")
    figures.add("validator.validation", text_ms, unit="CPU ms/text", goal="<= 4")
    print("\n" + "\n".join(lines))  # noqa: T201  the benchmark's report


def test_recall_of_each_code_and_false_rejects_on_prose_of_an_independent_author(
    figures: Figures,
) -> None:
    halves = [prose_scores("learning"), prose_scores("reserved")]
    lines = [
        f"{'code':22} {'learning: named':>16} {'refused':>8} {'reserved: named':>16} {'refused':>8}"
    ]
    for learned, kept in zip(*halves, strict=True):
        lines.append(
            f"{learned.code:22} {_share(learned.named, learned.count):>16} "
            f"{_share(learned.refused, learned.count):>8} {_share(kept.named, kept.count):>16} "
            f"{_share(kept.refused, kept.count):>8}"
        )
    for half, scores in zip(HALVES, halves, strict=True):
        count = sum(score.count for score in scores)
        good = sum(1 for one in prose(half) if one.code is None)
        lines.append(
            f"{half}: named {_share(sum(score.named for score in scores), count)}, "
            f"refused {_share(sum(score.refused for score in scores), count)}, "
            f"false rejects {_share(len(refused_prose(half)), good)}"
        )
        if half == "reserved":
            of = "validator.another author's prose"
            refused = sum(score.refused for score in scores) / count
            named = sum(score.named for score in scores) / count
            figures.add(f"{of}, refused", refused, unit="of faulty texts", goal=">= 0.98")
            figures.add(f"{of}, right code", named, unit="of faulty texts", goal=">= 0.90")
            rejects = len(refused_prose(half)) / good
            figures.add(f"{of}, false rejects", rejects, unit="of good texts", goal="<= 0.05")
    print("\n" + "\n".join(lines))  # noqa: T201  the benchmark's report


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}"
