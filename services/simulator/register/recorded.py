"""A register of recorded answers, served exactly as they were recorded."""

from bisect import bisect_left
from pathlib import Path

import orjson

from services.simulator.errors import BadOptionError
from services.simulator.generation.dates import Calendar
from services.simulator.query.evaluation import QueriedRow
from services.simulator.query.variables import Collection
from services.simulator.record import Record
from services.simulator.register.rows import RecordRow


class RecordedRegister:
    """Establishments and units of a JSON-lines file; units are the lines with their own periods.

    `/siren` serves no unit without a line of its own. The last of two lines with the same
    identifier counts.
    """

    version = 0

    def __init__(self, path: Path, day: str) -> None:
        self.calendar = Calendar(day)
        by_key: dict[Collection, dict[str, Record]] = {"siret": {}, "siren": {}}
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    _add(by_key, line, f"{path}, line {number}")
        self._records: dict[Collection, list[Record]] = {}
        self._keys: dict[Collection, list[str]] = {}
        for collection, records in by_key.items():
            self._keys[collection] = sorted(records)
            self._records[collection] = [records[key] for key in self._keys[collection]]

    def size(self, collection: Collection) -> int:
        return len(self._keys[collection])

    def identifier(self, collection: Collection, position: int) -> str:
        return self._keys[collection][position]

    def position_from(self, collection: Collection, identifier: str) -> int:
        return bisect_left(self._keys[collection], identifier)

    def row(self, collection: Collection, position: int, date: str | None) -> QueriedRow:
        return RecordRow(self._records[collection][position], date)

    def record(self, collection: Collection, position: int) -> Record:
        return self._records[collection][position]

    def unmasked(self, siret: str) -> Record | None:
        position = self.position_from("siret", siret)
        found = position < self.size("siret") and self.identifier("siret", position) == siret
        return self.record("siret", position) if found else None

    def redirection(self, siren: str) -> str | None:  # noqa: ARG002 - recordings hold no duplicates
        return None

    def is_secret(self, siren: str) -> bool:  # noqa: ARG002 - nor units that may not be shown
        return False

    def specials(self) -> dict[str, dict[str, str] | list[str]]:
        return {"doublons": {}, "non_diffusibles": []}


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
