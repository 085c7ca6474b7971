"""Banks of pairs that people wrote: one file of JSON lines for each author (README.md)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.pairs.fixed_register import FOLDER, rows
from tests.benchmarks.portal.made_pairs import KINDS

OTHER = "other"


@dataclass(frozen=True, slots=True)
class WrittenPair:
    kind: str
    query: str
    sirets: frozenset[str]
    """Each of them is right."""


def banks() -> Sequence[Path]:
    return sorted(FOLDER.glob("*.jsonl"))


def read_bank(path: Path) -> list[WrittenPair]:
    """Raises ValueError with the line of a pair that is none."""
    known = {row["siret"] for row in rows()}
    pairs: list[WrittenPair] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            told = json.loads(line)
            sirets = frozenset([told.pop("siret"), *told.pop("also", [])])
            pair = WrittenPair(told.pop("kind"), told.pop("query").strip(), sirets)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f"{path.name}, line {number}: no pair") from None
        if told:
            raise ValueError(f"{path.name}, line {number}: unknown {', '.join(told)}")
        if pair.kind not in {*KINDS, OTHER}:
            raise ValueError(f"{path.name}, line {number}: unknown kind {pair.kind!r}")
        if strangers := sirets - known:
            raise ValueError(f"{path.name}, line {number}: not in the register: {min(strangers)}")
        if not pair.query or any(pair.query == other.query for other in pairs):
            raise ValueError(f"{path.name}, line {number}: an empty query, or one that was there")
        pairs.append(pair)
    return pairs
