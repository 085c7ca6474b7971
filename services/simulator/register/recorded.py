"""A register of recorded answers, served exactly as they were recorded."""

from pathlib import Path

import orjson

from services.simulator.errors import BadOptionError
from services.simulator.generation.dates import Calendar
from services.simulator.query.variables import Collection
from services.simulator.record import Record
from services.simulator.register.registers import Register


class RecordedRegister(Register):
    """Establishments and units of a JSON-lines file; units are the lines with their own periods.

    `/siren` serves no unit without a line of its own. The last of two lines with the same
    identifier counts.
    """

    def __init__(self, path: Path, day: str) -> None:
        super().__init__(Calendar(day))
        by_key: dict[Collection, dict[str, Record]] = {"siret": {}, "siren": {}}
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    _add(by_key, line, f"{path}, line {number}")
        self._records = {
            collection: sorted(records.items()) for collection, records in by_key.items()
        }

    def size(self, collection: Collection) -> int:
        return len(self._records[collection])

    def identifier(self, collection: Collection, position: int) -> str:
        return self._records[collection][position][0]

    def whole(self, collection: Collection, position: int) -> Record:
        return self._records[collection][position][1]


def _add(by_key: dict[Collection, dict[str, Record]], line: bytes, where: str) -> None:
    """Raises BadOptionError where the file holds something else than records."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadOptionError(f"{where}: not JSON ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get("siren"), str):
        raise BadOptionError(f"{where}: no siren, so no record of the API")
    collection: Collection = "siren" if "periodesUniteLegale" in record else "siret"
    by_key[collection][str(record[collection])] = record
