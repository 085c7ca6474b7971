"""`./sirenade inspect`: the rows that the writer would make of records, without a database."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.clock import utc_now
from shared.controls import shown_json
from shared.days import day_in_france
from shared.inputs import read_lines
from shared.sirene.mapping.mapper import map_record, map_unite_legale
from shared.sirene.pages import page_of
from shared.sirene.values import MappingError
from shared.terminal.cli import say


def inspect(
    file: Annotated[Path, typer.Argument(help="JSON lines of API records; - reads stdin.")],
) -> None:
    """Print for each API record one JSON line: the rows it becomes, or its error code.

    Example: ./sirenade inspect records.jsonl
    """
    for line in inspect_lines(read_lines(file)):
        say(line)


def inspect_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield one line of JSON for each line that is not blank: the rows, or the error's code."""
    for line in lines:
        if line.strip():
            yield shown_json(json.dumps(_inspect(line), ensure_ascii=False, default=_iso))


def _iso(value: dt.date) -> str:
    return value.isoformat()


def _inspect(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {"error": "bad_json", "message": "the line is not JSON"}
    try:
        return _rows(record)
    except MappingError as error:
        return {"error": error.code, "message": str(error)}


def _rows(record: object) -> dict[str, Any]:
    """Map a record of `/siret`, or of `/siren`: that one has no siret and makes a unit's row."""
    today = day_in_france(utc_now())
    if isinstance(record, dict) and "siret" not in record and "siren" in record:
        unite = map_unite_legale(record, on=today)
        return {
            "unite_legale": dataclasses.asdict(unite.unite),
            "unknown_keys": sorted(unite.unknown_keys),
        }
    mapped = map_record(record, on=today)
    page = page_of(mapped.etablissement, mapped.unite)
    return {
        "unite_legale": dataclasses.asdict(mapped.unite),
        "etablissement": dataclasses.asdict(mapped.etablissement),
        "pro_localisation": None if page is None else dataclasses.asdict(page),
        "unknown_keys": sorted(mapped.unknown_keys),
    }
