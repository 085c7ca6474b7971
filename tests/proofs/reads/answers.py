"""The answers to readers, as one file between their process and the proof."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from shared.private_files import write_private


class ReadKind(StrEnum):
    PAGE = "page"
    SEARCH = "search"
    LIST = "list"
    SUGGESTION = "suggestion"
    FEED = "feed"


class ReadAnswer(NamedTuple):
    """One answer; `status` is 0 where none came. `is_stale`: it was older than its request."""

    kind: ReadKind
    at_seconds: float
    status: int
    milliseconds: float
    is_stale: bool


class IndexLag(NamedTuple):
    at_seconds: float
    lag_seconds: float


@dataclass(frozen=True)
class ReadRun:
    """All that the readers saw; `erasures` were committed beside them."""

    answers: Sequence[ReadAnswer]
    lags: Sequence[IndexLag]
    erasures: int

    def write(self, file: Path) -> None:
        write_private(file, json.dumps(asdict(self)))

    @classmethod
    def read(cls, file: Path) -> "ReadRun":
        kept = json.loads(file.read_text(encoding="utf-8"))
        answers = [ReadAnswer(ReadKind(kind), *rest) for kind, *rest in kept["answers"]]
        lags = [IndexLag(*each) for each in kept["lags"]]
        return cls(answers, lags, kept["erasures"])

    def of(self, kind: ReadKind) -> list[ReadAnswer]:
        return [each for each in self.answers if each.kind is kind]
