"""Files of reviews: each line is a source or a refusal."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from services.reviewer.reviews.source import Source
from shared.errors import UserError

_REQUIRED = frozenset(name for name, field in Source.model_fields.items() if field.is_required())


@dataclass(frozen=True, slots=True)
class Refusal:
    """`reason` names fields and never holds their content."""

    line: int
    reason: str


def read_reviews(path: Path) -> Iterator[tuple[int, Source] | Refusal]:
    """Yield the number and source of each line, or its refusal.

    The file is a CSV with a header (`.csv`), else JSON lines. Raises UserError for a file that
    cannot be read, and for a CSV that lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = _csv(lines, path) if path.suffix.lower() == ".csv" else _json_lines(lines)
            for number, row in rows:
                yield _source(number, row)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"cannot read {path}: it is not UTF-8") from None
    except csv.Error as error:
        raise UserError(f"cannot read {path}: {error}") from None


def _csv(lines: TextIO, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    rows = csv.DictReader(lines)
    missing = _REQUIRED - set(rows.fieldnames or ())
    if missing:
        raise UserError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    for row in rows:
        # An empty cell counts as missing; None is the key of cells beyond the header.
        yield rows.line_num, {str(name): value for name, value in row.items() if value}


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
        return number, Source.model_validate(row)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, each['loc']))} {each['msg']}".strip().lower()
            for each in error.errors()
        )
        return Refusal(number, "; ".join(problems)[:300])
