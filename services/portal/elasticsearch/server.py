"""The server: JSON over its REST API, within the bounds of every HTTP request."""

from collections.abc import Container
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from services.portal.settings import SearchSettings
from shared.errors import SlowDown, UserError
from shared.http.client import Bounds, HttpClient
from shared.http.errors import HttpError

SEARCH_BOUNDS = Bounds(seconds=1, connect_seconds=0.5, body_bytes=1 << 20)
"""A reader waits; PostgreSQL answers instead."""
WORK_BOUNDS = Bounds(seconds=30, body_bytes=1 << 25)

_RETRY_SECONDS = 5.0
_BUSY = frozenset({408, 429, 500, 502, 503, 504})


class ElasticsearchAway(SlowDown):
    """Raised when Elasticsearch cannot be reached, is overloaded, or answers what is no answer."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Elasticsearch {what}", retry_after_seconds=_RETRY_SECONDS)


class ElasticsearchRefusal(UserError):
    """Raised when Elasticsearch refuses who asks, or what is asked; no answer is quoted."""


class ServerAnswer(NamedTuple):
    status: int
    json: Any


class ElasticsearchServer:
    """Thread-safe. The user and the key go over https only, or to a host nearby."""

    def __init__(self, settings: SearchSettings, bounds: Bounds, *, pool_size: int = 1) -> None:
        self._url = settings.elasticsearch_url.rstrip("/")
        self._http = HttpClient(
            bounds,
            pool_size=pool_size,
            egress=settings.egress,
            secret_headers=settings.elasticsearch_authorization,
        )

    def ask(
        self, method: str, path: str, body: object = None, *, also: Container[int] = ()
    ) -> ServerAnswer:
        """Return the answer of status 200, or of one in `also`.

        Raises ElasticsearchAway, ElasticsearchRefusal.
        """
        return self.send(
            method, path, None if body is None else orjson.dumps(body), "application/json", also
        )

    def send(
        self, method: str, path: str, data: bytes | None, kind: str, also: Container[int] = ()
    ) -> ServerAnswer:
        """Send bytes of this kind; the rest is as of `ask`."""
        headers = {"Accept": "application/json"} | ({"Content-Type": kind} if data else {})
        try:
            answer = self._http.ask(method, self._url + path, data=data, headers=headers)
        except HttpError as error:
            raise ElasticsearchAway(f"does not answer: {type(error).__name__}") from None
        if answer.status != HTTPStatus.OK and answer.status not in also:
            self._refuse(answer.status)
        try:
            return ServerAnswer(answer.status, orjson.loads(answer.body) if answer.body else {})
        except orjson.JSONDecodeError:
            raise ElasticsearchAway("answers no JSON") from None

    def close(self) -> None:
        self._http.close()

    @staticmethod
    def _refuse(status: int) -> None:
        if status in _BUSY:
            raise ElasticsearchAway(f"is busy or broken: status {status}")
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ElasticsearchRefusal(
                f"Elasticsearch refuses the user or key ({status}): see SIRENADE_ELASTICSEARCH_USER"
            )
        raise ElasticsearchRefusal(f"Elasticsearch refuses a request: status {status}")
