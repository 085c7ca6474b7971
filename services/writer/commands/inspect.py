"""What the writer would make of records, without a database. Pure."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

from services.writer.mapping.mapper import map_record, map_unite_legale
from shared.sirene.pages import page_of
from shared.sirene.values import MappingError


def inspect_lines(lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each line that is not blank: the rows, or the error's code."""
    for line in lines:
        if line.strip():
            yield json.dumps(_inspect(line), ensure_ascii=False, default=_iso)


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
    """A unit of `/siren` has no siret, and makes a unit's row only."""
    if isinstance(record, dict) and "siret" not in record and "siren" in record:
        unite = map_unite_legale(record)
        return {
            "unite_legale": dataclasses.asdict(unite.unite),
            "unknown_keys": sorted(unite.unknown_keys),
        }
    mapped = map_record(record)
    page = page_of(mapped.etablissement, mapped.unite)
    return {
        "unite_legale": dataclasses.asdict(mapped.unite),
        "etablissement": dataclasses.asdict(mapped.etablissement),
        "pro_localisation": None if page is None else dataclasses.asdict(page),
        "unknown_keys": sorted(mapped.unknown_keys),
    }
