"""A portal in a thread of the test, on a socket of its own, and what its clients see."""

import http.client
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from starlette.types import ASGIApp

from services.portal.main import Parts
from services.portal.settings import PortalSettings
from services.portal.web.server import PortalServer, config_of, listen
from shared.clock import Clock
from shared.metrics import Metrics
from tests.conditions import wait_until

_PATIENCE_SECONDS = 30
Ask = Callable[[str], Coroutine[None, None, str | None]]


class PortalAnswer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Portal:
    """A running portal. `parts` are its own, for a fault where it happens."""

    def __init__(self, port: int, parts: Parts) -> None:
        self.port = port
        self.parts = parts

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> PortalAnswer:
        return self.ask("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path: str, body: str, **headers: str) -> PortalAnswer:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, headers=form | named, body=body)

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> PortalAnswer:
        client = self.client()
        try:
            client.request(method, path, body=body, headers=dict(headers or {}))
            return read(client)
        finally:
            client.close()

    def client(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_SECONDS)


def read(client: http.client.HTTPConnection) -> PortalAnswer:
    answer = client.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return PortalAnswer(answer.status, headers, answer.read())


@contextmanager
def running_portal(
    *urls: str, make: Callable[[Parts], ASGIApp] = Parts.app, **settings: Any
) -> Iterator[Portal]:
    """Serve these databases, the first of which is the control database as well."""
    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    shards = {"shard_database_urls": ",".join(urls)} if len(urls) > 1 else {}
    chosen = PortalSettings.model_validate(
        {"database_url": urls[0], "portal_port": port, **shards, **settings}
    )
    parts = Parts(chosen, Metrics(of={"portal"}), Clock())
    server = PortalServer(config_of(chosen, lambda: make(parts)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_until(lambda: server.started, seconds=_PATIENCE_SECONDS)
        yield Portal(port, parts)
    finally:
        server.should_exit = True
        thread.join(timeout=_PATIENCE_SECONDS)
        listening.close()


def with_a_cache_that_lasts(parts: Parts) -> ASGIApp:
    """Ask once for the version of each slug, as a cache with a time to live does."""
    for versions in parts.store._versions:
        asked, kept = versions.of, dict[str, str | None]()

        async def of(
            slug: str, asked: Ask = asked, kept: dict[str, str | None] = kept
        ) -> str | None:
            if slug not in kept:
                kept[slug] = await asked(slug)
            return kept[slug]

        versions.of = of  # type: ignore[method-assign]
    return parts.app()
