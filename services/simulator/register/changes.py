"""The facts changed by SIRET or SIREN while the server runs, as a nightly treatment does."""

import threading
from collections.abc import Mapping

from services.simulator.errors import BadChangeError
from services.simulator.generation.identifiers import SIREN_LENGTH
from services.simulator.query.variables import fields_of
from services.simulator.record import BLOCKS, PERIODS, Draft


class SetValues:
    """Values set over the generated ones, before masking.

    A change of a unit shows in its own record and in those of all its establishments. Historised
    values are changed in the newest period. `version` counts the changes.
    """

    def __init__(self) -> None:
        self._values: dict[str, Draft] = {}
        self._lock = threading.Lock()
        self.version = 0

    def __bool__(self) -> bool:
        return bool(self._values)

    def set(self, identifier: str, values: Mapping[str, object]) -> None:
        """Raises BadChangeError for a variable that records do not have."""
        known = fields_of("siret").keys() | fields_of("siren").keys()
        unknown = values.keys() - known
        if unknown:
            raise BadChangeError(f"no such variable: {', '.join(sorted(unknown))}")
        with self._lock:
            self._values[identifier] = self._values.get(identifier, {}) | dict(values)
            self.version += 1

    def touches(self, identifier: str) -> bool:
        return identifier in self._values or identifier[:SIREN_LENGTH] in self._values

    def applied(self, record: Draft) -> Draft:
        """Change the record in place where a value was set over it, and return it."""
        for key in ("siren", "siret"):
            values = self._values.get(str(record.get(key)), {})
            blocks = (record[name] for name in BLOCKS if name in record)
            newest = (record[name][0] for name in PERIODS if record.get(name))
            for place in (record, *blocks, *newest) if values else ():
                place.update({name: value for name, value in values.items() if name in place})
        return record
