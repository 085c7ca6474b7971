"""Entrances for tests and demos, outside of the API and of its quota.

`/__quota` what the server counted, `/__faults` the knobs (POST changes some), `/__records?siret=`
an unmasked record, `/__specials` SIRENs that redirect or may not be shown, `/__updates` (POST)
values set as a nightly treatment would.
"""

from collections.abc import Mapping

import orjson

from services.simulator.answers import Answer, json_answer
from services.simulator.faults import FaultDesk
from services.simulator.quota import Witness
from services.simulator.recorded import RecordedRegister
from services.simulator.register import GeneratedRegister


class Backstage:
    def __init__(
        self, register: GeneratedRegister | RecordedRegister, faults: FaultDesk, witness: Witness
    ) -> None:
        self._register = register
        self._faults = faults
        self._witness = witness

    def answer(self, path: str, params: Mapping[str, str], body: bytes | None) -> Answer:
        """`body` is None for a GET."""
        try:
            match path:
                case "/__quota":
                    return json_answer(200, self._witness.report())
                case "/__faults" if body is None:
                    return json_answer(200, self._faults.read())
                case "/__faults":
                    return json_answer(200, self._faults.change(_object(body)))
                case "/__updates" if body is not None:
                    return self._update(_object(body))
                case "/__records":
                    record = self._register.unmasked(params.get("siret", ""))
                    return json_answer(404, {}) if record is None else json_answer(200, record)
                case "/__specials":
                    return json_answer(200, self._register.specials())
        except ValueError as error:
            return json_answer(400, {"message": str(error)})
        return json_answer(404, {"message": f"nothing at {path}"})

    def _update(self, change: dict[str, object]) -> Answer:
        identifier = change.get("siret") or change.get("siren")
        values = change.get("set")
        if not isinstance(identifier, str) or not isinstance(values, dict):
            raise ValueError('wants {"siret" or "siren": "…", "set": {variable: value}}')
        if isinstance(self._register, RecordedRegister):
            raise ValueError("recorded records are served unchanged")
        self._register.changes.set(identifier, values)
        return json_answer(200, {"version": self._register.version})


def _object(body: bytes) -> dict[str, object]:
    """ValueError unless the body is a JSON object."""
    content = orjson.loads(body)
    if not isinstance(content, dict):
        raise ValueError("wants a JSON object")
    return content
