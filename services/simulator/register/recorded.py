"""A register of recorded answers, served as they were recorded until the night of NAF 2025."""

from copy import deepcopy
from pathlib import Path

import orjson

from services.simulator.errors import BadOptionError
from services.simulator.generation.dates import Calendar
from services.simulator.query.variables import Collection
from services.simulator.record import Draft
from services.simulator.register.registers import Register


class RecordedRegister(Register):
    """Establishments and units of a JSON-lines file; units are the lines with their own periods.

    `/siren` serves no unit without a line of its own. The last of two lines with the same
    identifier counts.
    """

    def __init__(self, path: Path, day: str, naf_2025: str | None = None) -> None:
        super().__init__(Calendar(day))
        if naf_2025 is not None:
            self.play_naf_2025(naf_2025)
        by_key: dict[Collection, dict[str, Draft]] = {"siret": {}, "siren": {}}
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

    def whole(self, collection: Collection, position: int) -> Draft:
        recorded = self._records[collection][position][1]
        return recorded if self.night is None else self.night.applied(deepcopy(recorded))


def _add(by_key: dict[Collection, dict[str, Draft]], line: bytes, where: str) -> None:
    """Raises BadOptionError where the file holds something else than records."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadOptionError(f"{where}: not JSON ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get("siren"), str):
        raise BadOptionError(f"{where}: no siren, so no record of the API")
    collection: Collection = "siren" if "periodesUniteLegale" in record else "siret"
    by_key[collection][str(record[collection])] = record
