"""Answers kept as bytes, for benchmarks that measure a client and not the simulator."""

import threading
from dataclasses import replace

from services.simulator.api.answers import Answer
from services.simulator.api.operations import Api, Params
from services.simulator.register.registers import Register

_MOST_BYTES = 512 * 1024 * 1024
_OK = 200


class ReadyMadeApi:
    """Makes each answer once, and every answer anew after a record has changed.

    It does not notice how `/__faults` changes records.
    """

    def __init__(self, api: Api, register: Register) -> None:
        self._api = api
        self._register = register
        self._lock = threading.Lock()
        self._forget()

    def answer(self, path: str, params: Params) -> Answer:
        key = (path, *sorted(params.items()))
        with self._lock:
            if self._version != self._register.version:
                self._forget()
            kept = self._answers.get(key)
        if kept is None:
            kept = self._api.answer(path, params)
            with self._lock:
                self._keep(key, kept)
        # The caller adds headers to its copy, and may cut it.
        return replace(kept, headers=dict(kept.headers))

    def _keep(self, key: tuple[object, ...], answer: Answer) -> None:
        if answer.status == _OK and self._kept_bytes + len(answer.body) <= _MOST_BYTES:
            self._answers[key] = replace(answer, headers=dict(answer.headers))
            self._kept_bytes += len(answer.body)

    def _forget(self) -> None:
        self._version = self._register.version
        self._answers: dict[tuple[object, ...], Answer] = {}
        self._kept_bytes = 0
