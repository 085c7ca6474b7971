"""Entrances for tests and demos, outside of the API and of its quota.

/__quota              the requests that the server counted
/__faults             the knobs; POST changes some
/__records?siret=     an unmasked record
/__specials           the SIRENs that redirect, and those that may not be shown
/__updates            POST: set values, as a nightly treatment does
/__publication        POST: set the day that `/informations` tells
"""

from collections.abc import Mapping

import orjson

from services.simulator.api.answers import Answer, json_answer
from services.simulator.api.informations import Publication
from services.simulator.errors import BadChangeError
from services.simulator.faults import FaultDesk
from services.simulator.gateway.quota import Witness
from services.simulator.register.recorded import RecordedRegister
from services.simulator.register.registers import GeneratedRegister


class Backstage:
    def __init__(
        self,
        register: GeneratedRegister | RecordedRegister,
        faults: FaultDesk,
        witness: Witness,
        publication: Publication,
    ) -> None:
        self._register = register
        self._faults = faults
        self._witness = witness
        self._publication = publication

    def answer(self, path: str, params: Mapping[str, str], body: bytes | None) -> Answer:
        """`body` is None for a GET."""
        try:
            content = self._content(path, params, body)
        except BadChangeError as error:
            return json_answer(400, {"message": str(error)})
        if content is None:
            return json_answer(404, {"message": f"nothing at {path}"})
        return json_answer(200, content)

    def _content(
        self, path: str, params: Mapping[str, str], body: bytes | None
    ) -> Mapping[str, object] | None:
        content: Mapping[str, object] | None = None
        match path:
            case "/__quota":
                content = self._witness.report()
            case "/__faults" if body is None:
                content = self._faults.read()
            case "/__faults":
                content = self._faults.change(_object(body))
            case "/__updates" if body is not None:
                content = self._update(_object(body))
            case "/__publication" if body is not None:
                content = self._publication.change(_object(body))
            case "/__records":
                content = self._register.unmasked(params.get("siret", ""))
            case "/__specials":
                content = self._register.specials()
        return content

    def _update(self, change: dict[str, object]) -> dict[str, object]:
        identifier = change.get("siret") or change.get("siren")
        values = change.get("set")
        if not isinstance(identifier, str) or not isinstance(values, dict):
            raise BadChangeError('wants {"siret" or "siren": "…", "set": {variable: value}}')
        if isinstance(self._register, RecordedRegister):
            raise BadChangeError("recorded records are served unchanged")
        self._register.changes.set(identifier, values)
        return {"version": self._register.version}


def _object(body: bytes | None) -> dict[str, object]:
    try:
        content = orjson.loads(body or b"null")
    except orjson.JSONDecodeError as error:
        raise BadChangeError(f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadChangeError("wants a JSON object")
    return content
