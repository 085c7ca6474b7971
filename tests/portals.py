"""A portal in a thread of the test, or in processes of its own, and what its clients see."""

import http.client
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import psutil  # type: ignore[import-untyped]  # it ships no types
from starlette.types import ASGIApp

from deploy.local import processes
from deploy.local.folders import PROJECT
from services.portal.main import Parts
from services.portal.settings import PortalSettings
from services.portal.web.server import config_of
from shared.clock import Clock
from shared.metrics import Metrics
from shared.web.server import GracefulServer, listen
from tests.conditions import wait_until
from tests.readers import portal_address

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
    listening = listen("127.0.0.1", 0, name="portal")
    port = listening.getsockname()[1]
    shards = {"shard_database_urls": ",".join(urls)} if len(urls) > 1 else {}
    chosen = PortalSettings.model_validate(
        {"database_url": urls[0], "portal_port": port, **shards, **settings}
    )
    parts = Parts(chosen, Metrics(of={"portal"}), Clock())
    server = GracefulServer(config_of(chosen, lambda: make(parts)))
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


class Server(NamedTuple):
    """A server in processes of its own; `beside` are those that it needs."""

    address: str
    pid: int
    beside: tuple[int, ...] = ()

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def pids(self) -> Sequence[int]:
        return [*processes.with_children(self.pid), *self.beside]

    @property
    def memory_bytes(self) -> int:
        """Return the memory of all its processes."""
        found = 0
        for pid in self.pids:
            with suppress(psutil.NoSuchProcess):
                found += psutil.Process(pid).memory_info().rss
        return found

    def clients_of_processes(self) -> list[int]:
        """Return the number of clients that each process serves, as far as it serves any."""
        numbers = []
        for pid in self.pids:
            with suppress(psutil.NoSuchProcess):
                held = psutil.Process(pid).net_connections("tcp")
                numbers.append(
                    sum(
                        each.status == "ESTABLISHED" and each.laddr.port == self.port
                        for each in held
                    )
                )
        return [number for number in numbers if number]


@contextmanager
def started_portal(
    folder: Path, *urls: str, options: Sequence[str] = (), **settings: str
) -> Iterator[Server]:
    """Run the command as long as the block; `settings` are variables without their prefix."""
    log = folder / "portal.log"
    environment = {
        **{name: value for name, value in os.environ.items() if "SIRENADE_" not in name},
        "SIRENADE_DATABASE_URL": urls[0],
        "SIRENADE_SHARD_DATABASE_URLS": ",".join(urls) if len(urls) > 1 else "",
        "SIRENADE_PORTAL_PORT": "0",
        "SIRENADE_METRICS_PORT": "0",
        **{f"SIRENADE_{name}": value for name, value in settings.items()},
    }
    log.write_bytes(b"")
    with processes.child(
        [sys.executable, "-m", "services.portal", "run", *options],
        lambda: _answering(log),
        f"the portal does not start: see {log}",
        log=log,
        env=environment,
        cwd=str(PROJECT),
    ) as (pid, address):
        assert address is not None
        server = Server(address, pid)
        try:
            yield server
        finally:
            started = server.pids
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            processes.kill_all(processes.wait_until_gone(started, seconds=_PATIENCE_SECONDS))


def _answering(log: Path) -> str | None:
    """Return the address that the log tells, when it is answered at."""
    address = portal_address(log)
    if address is None:
        return None
    client = http.client.HTTPConnection(address.partition("//")[2], timeout=_PATIENCE_SECONDS)
    try:
        client.request("GET", "/readyz")
        return address if read(client).status == HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        client.close()
