"""The scores of the validator on the bank."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from services.reviewer.validation import validate
from services.reviewer.validation.simhash import NEAR, distance, simhash
from tests.mutations.bank import CODES, mutants
from tests.mutations.bases import good_texts
from tests.mutations.pairs import Pair, exact_duplicates, near_duplicates, neighbours


@dataclass(frozen=True, slots=True)
class Recall:
    """The shares of faulty texts that were refused by their code, and by any code."""

    code: str
    named: float
    refused: float


def recalls(half: int, count: int) -> Iterator[Recall]:
    """Score `count` faulty texts for each code."""
    for code in CODES:
        verdicts = [
            validate(one.text, one.base.facts).reasons for one in mutants(code, half, count)
        ]
        named = sum(1 for reasons in verdicts if code in reasons)
        refused = sum(1 for reasons in verdicts if reasons)
        yield Recall(code, named / count, refused / count)


def duplicate_recalls(half: int, count: int) -> Iterator[Recall]:
    for code, pairs in (
        ("exact_duplicate", exact_duplicates(half, count)),
        ("near_duplicate", near_duplicates(half, count)),
    ):
        share = sum(map(_is_near, pairs)) / count
        yield Recall(code, share, share)


def near_neighbours(half: int, count: int) -> float:
    """Return the share of the template's pairs of neighbours that would be written again."""
    return sum(map(_is_near, neighbours(half, count))) / count


def _is_near(pair: Pair) -> bool:
    first, second = (simhash(one.text, one.facts) for one in (pair.first, pair.second))
    return distance(first, second) <= NEAR


def false_rejects(half: int, count: int) -> float:
    """Return the share of good texts that are refused: handwritten ones and `count` by template."""
    verdicts = [validate(base.text, base.facts) for base in good_texts(half, count)]
    return sum(1 for verdict in verdicts if not verdict.accepted) / len(verdicts)


def milliseconds_per_text(count: int) -> float:
    """Return the processor time on good texts, which every rule reads to the end."""
    bases = list(good_texts(0, count))
    start = time.process_time()
    for base in bases:
        validate(base.text, base.facts)
    return (time.process_time() - start) / len(bases) * 1000
