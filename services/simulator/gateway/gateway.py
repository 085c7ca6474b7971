"""Key, quota, faults and API: all that a request meets, without its socket.

Outside of the API and of its quota are the entrances for tests and demos:

/__quota              the requests that the server counted
/__faults             the knobs; POST changes some
/__records?siret=     an unmasked record
/__specials           the SIRENs that redirect, and those that may not be shown
/__updates            POST: set values, as a nightly treatment does
/__publication        POST: set the day that `/informations` tells
/__naf-2025           POST: play the night in which NAF 2025 becomes the reference
"""

import time
from collections.abc import Mapping
from dataclasses import replace

import orjson

from services.simulator.api.answers import (
    Answer,
    gateway_answer,
    html,
    json_answer,
    server_error,
    too_many,
)
from services.simulator.api.operations import Api, Params
from services.simulator.errors import BadChangeError
from services.simulator.faults import FaultDesk, Mishap
from services.simulator.gateway.quota import Grant, ServerQuota, Witness
from services.simulator.gateway.ready_made import ReadyMadeApi
from services.simulator.options import SimulatorOptions
from services.simulator.register.recorded import RecordedRegister
from services.simulator.register.registers import GeneratedRegister


class Gateway:
    def __init__(self, options: SimulatorOptions) -> None:
        self.register = (
            GeneratedRegister(options)
            if options.records is None
            else RecordedRegister(options.records, options.day, options.naf_2025)
        )
        self._options = options
        self._faults = FaultDesk(options.faults, options.seed)
        self._quota = ServerQuota(options.requests_per_minute, options.requests_per_hour)
        self._witness = Witness()
        api = Api(self.register, self._faults)
        self._publication = api.publication
        self._api = ReadyMadeApi(api, self.register) if options.ready_made else api

    def answer(self, path: str, params: Params, key: str | None, refusal: Answer | None) -> Answer:
        """`refusal` answers a request of a wrong form, once key and quota are right."""
        number = self._witness.arrived()
        answer = self._answer(number, path, params, key, refusal)
        self._witness.answered(answer.status)
        return answer

    def _answer(
        self, number: int, path: str, params: Params, key: str | None, refusal: Answer | None
    ) -> Answer:
        if not key or self._options.key not in {None, key}:
            return gateway_answer(401, {"message": "Unauthorized"})
        grant = self._quota.take(key)
        time.sleep(self._faults.latency_seconds(number))
        if grant.allowed and refusal is not None:
            answer = refusal
        else:
            mishap = self._faults.mishap(number) if grant.allowed else Mishap.STORM
            answer = self._answer_after(mishap, path, params)
        if self._options.rate_headers:
            answer.headers.update(_rate_headers(grant))
        return answer

    def _answer_after(self, mishap: Mishap, path: str, params: Params) -> Answer:
        options = self._options
        if mishap is Mishap.STORM:
            return too_many(options.error_shape, options.requests_per_minute)
        if mishap is Mishap.ERROR:
            return server_error(options.error_shape, self._faults.knobs.error_status)
        if mishap is Mishap.HTML:
            return html(200, "Maintenance en cours")
        answer = self._api.answer(path, params)
        if mishap is Mishap.TRUNCATED:
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        if mishap is Mishap.EMPTY:
            return replace(answer, body=b"")
        answer.cut = mishap is Mishap.CUT
        return answer

    def entrance(self, path: str, params: Params, body: bytes | None) -> Answer:
        """Answer outside of the API; `body` is None for a GET."""
        try:
            content = self._content(path, params, body)
        except BadChangeError as error:
            return json_answer(400, {"message": str(error)})
        if content is None:
            return json_answer(404, {"message": f"nothing at {path}"})
        return json_answer(200, content)

    def _content(
        self, path: str, params: Params, body: bytes | None
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
            case "/__naf-2025" if body is not None:
                content = self._play_naf_2025(_object(body))
            case "/__records":
                content = self.register.unmasked(params.get("siret", ""))
            case "/__specials":
                doublons, secrets = self.register.doublons, self.register.non_diffusibles
                content = {"doublons": doublons, "non_diffusibles": secrets}
        return content

    def _play_naf_2025(self, order: dict[str, object]) -> dict[str, object]:
        night = self.register.play_naf_2025(str(order.get("form")))
        self._publication.play_mass_day(night.day)
        return {"day": night.day, "version": self.register.version}

    def _update(self, change: dict[str, object]) -> dict[str, object]:
        identifier = change.get("siret") or change.get("siren")
        values = change.get("set")
        if not isinstance(identifier, str) or not isinstance(values, dict):
            raise BadChangeError('wants {"siret" or "siren": "…", "set": {variable: value}}')
        if isinstance(self.register, RecordedRegister):
            raise BadChangeError("recorded records are served unchanged")
        self.register.changes.set(identifier, values)
        return {"version": self.register.version}


def _object(body: bytes | None) -> dict[str, object]:
    try:
        content = orjson.loads(body or b"null")
    except orjson.JSONDecodeError as error:
        raise BadChangeError(f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadChangeError("wants a JSON object")
    return content


def _rate_headers(grant: Grant) -> dict[str, str]:
    """Write the resets in milliseconds of the epoch, as one client saw them."""
    return {
        "x-rate-limit-limit": str(grant.minute_limit),
        "x-rate-limit-remaining": str(grant.minute_left),
        "x-rate-limit-reset": str(round(grant.minute_reset * 1000)),
        "x-quota-limit": str(grant.hour_limit),
        "x-quota-remaining": str(grant.hour_left),
        "x-quota-reset": str(round(grant.hour_reset * 1000)),
    }
