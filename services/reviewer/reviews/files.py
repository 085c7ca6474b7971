"""Files of reviews: each line is a source or a refusal.

Their format has a number, because what the law asks for changes.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from services.reviewer.reviews.source import Source
from shared.errors import UserError
from shared.inputs import LONGEST_LINE, read_lines

FORMAT = 2
_FORMAT = "format"
_FIRST_FORMAT = (
    "siret url licence author_label published_on experienced_on verification verbatim".split()  # noqa: SIM905 a list of fields
)
_ADDED = [_FORMAT, *(name for name in Source.model_fields if name not in _FIRST_FORMAT)]
_OTHER_FORMAT = (
    f"is not of format {FORMAT}: add {', '.join(_ADDED)}; verification is now none, purchase, "
    "identity or content (docs/operations.md, Reviews)"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`reason` names fields and never holds their content."""

    line: int
    reason: str


def read_reviews(path: Path) -> Iterator[tuple[int, Source] | Refusal]:
    """Yield the number and source of each line, or its refusal.

    The file is a CSV with a header (`.csv`), else JSON lines. Raises UserError for a file that
    cannot be read or begins with another format, and for a CSV that lacks a column.
    """
    lines = read_lines(path, encoding="utf-8-sig", newline="")
    try:
        rows = _csv(lines, path) if path.suffix.lower() == ".csv" else _json_lines(lines)
        is_first = True
        for number, row in rows:
            if isinstance(row, Mapping) and str(row.get(_FORMAT)) != str(FORMAT):
                if is_first:
                    raise UserError(f"{path} {_OTHER_FORMAT}")
                yield Refusal(number, f"is not of format {FORMAT}")
            else:
                yield _source(number, row)
            is_first = False
    except csv.Error as error:
        raise UserError(f"cannot read {path}: {error}") from None


class _RowLines:
    """Lines of a CSV; a row of them is no longer than a line may be."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.characters = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.characters += len(line)
            if self.characters > LONGEST_LINE:
                raise csv.Error(f"a row is longer than {LONGEST_LINE} characters")
            yield line


def _csv(lines: Iterator[str], path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    counted = _RowLines(lines)
    rows = csv.DictReader(counted)
    header = set(rows.fieldnames or ())
    if _FORMAT not in header:
        raise UserError(f"{path} {_OTHER_FORMAT}")
    missing = set(Source.model_fields) - header
    if missing:
        raise UserError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    for row in rows:
        # An empty cell says that there is nothing; None is the key of cells beyond the header.
        counted.characters = 0
        yield rows.line_num, {str(name): value or None for name, value in row.items()}


def _json_lines(lines: Iterable[str]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, None


def _source(number: int, row: object) -> tuple[int, Source] | Refusal:
    if not isinstance(row, Mapping):
        return Refusal(number, "is no JSON object")
    try:
        return number, Source.model_validate({k: v for k, v in row.items() if k != _FORMAT})
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, each['loc']))} {each['msg']}".strip().lower()
            for each in error.errors()
        )
        return Refusal(number, "; ".join(problems)[:300])
