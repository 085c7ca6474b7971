"""What the validator finds in the frozen bank of faulty texts, and what it costs."""

import pytest

from tests.mutations.bank import RESERVED, TUNING
from tests.mutations.prose import HALVES, prose, prose_scores, refused_prose
from tests.mutations.scores import (
    duplicate_recalls,
    false_rejects,
    milliseconds_per_text,
    near_neighbours,
    recalls,
)

_PER_CODE = 100
_GOOD = 1000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_recall_of_each_code_and_false_rejects_on_both_halves_of_the_bank() -> None:
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
        lines.append(
            f"{name}: false rejects {false_rejects(half, _GOOD):.2%} of the good texts, "
            f"neighbours' template texts written again {near_neighbours(half, _GOOD):.1%}"
        )
    lines.append(
        f"validation of a good text: {milliseconds_per_text(_GOOD):.2f} ms of processor time"
    )
    print("\n" + "\n".join(lines))  # noqa: T201  the benchmark's report


def test_recall_of_each_code_and_false_rejects_on_prose_of_an_independent_author() -> None:
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
    print("\n" + "\n".join(lines))  # noqa: T201  the benchmark's report


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}"
