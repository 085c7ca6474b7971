"""GET of JSON over HTTP; the memory of processes, from Prometheus or /proc; the firing alerts."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

from shared.alerts import Alert
from shared.errors import SirenadeError
from shared.http.client import Bounds, HttpClient, with_query
from shared.http.egress import Egress
from shared.http.errors import HttpError

_MEMORY = 'process_resident_memory_bytes{job=~"fetcher|writer|reviewer|operator|portal|indexer"}'
_DATABASE = "SIRENADE_DATABASE_URL="
_PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# The queues of one virtual host, or some hundred processes, take a few kB.
_BOUNDS = Bounds(seconds=2, body_bytes=1 << 20)


class Unanswered(SirenadeError):
    """Raised when no answer comes, or none that can be read; its text never quotes an answer."""


class JsonServer:
    """A server that is asked for JSON by GET, with an `Authorization` or without."""

    def __init__(self, url: str, egress: Egress, authorization: str = "") -> None:
        self._url = url
        secret_headers = {"Authorization": authorization} if authorization else {}
        self._http = HttpClient(_BOUNDS, egress=egress, secret_headers=secret_headers)

    def get(self, path: str, **parameters: str) -> Any:
        """Return what the JSON at a path holds. Raises Unanswered."""
        try:
            answer = self._http.ask("GET", with_query(self._url + path, parameters))
        except HttpError as error:
            raise Unanswered(type(error).__name__) from None
        if answer.status != HTTPStatus.OK:
            raise Unanswered(str(answer.status))
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise Unanswered("no JSON") from None


@dataclass(frozen=True)
class Memory:
    """`process` is an address, or a process id on this machine."""

    service: str
    process: str
    rss_bytes: int


class Prometheus:
    """Prometheus' HTTP API. Its methods raise Unanswered while it is away."""

    def __init__(self, url: str, egress: Egress) -> None:
        self._server = JsonServer(f"{url}/api/v1/", egress)

    def memory(self) -> list[Memory]:
        found = [
            Memory(each["metric"]["job"], each["metric"]["instance"], int(each["value"][1]))
            for each in self._get("query", query=_MEMORY)["result"]
        ]
        return sorted(found, key=lambda memory: (memory.service, memory.process))

    def alerts(self) -> list[Alert]:
        return [
            Alert(
                each["labels"]["alertname"],
                each["labels"].get("severity", "warning"),
                each["annotations"].get("summary", ""),
            )
            for each in self._get("alerts")["alerts"]
            if each["state"] == "firing"
        ]

    def _get(self, path: str, **parameters: str) -> Any:
        return self._server.get(path, **parameters)["data"]


def memory_here(database_url: str, proc: Path = _PROC) -> list[Memory]:
    """Return the memory of the services on this machine, bare or in containers.

    Processes whose environment names another database belong to another Sirenade. Memory that
    processes share counts in each of them.
    """
    found = _measured(proc, database_url)
    return sorted(found, key=lambda memory: (memory.service, int(memory.process)))


def _measured(proc: Path, database_url: str) -> Iterator[Memory]:
    for folder in filter(lambda path: path.name.isdigit(), proc.glob("[0-9]*")):
        try:
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            service = _service(arguments)
            if service is not None and not _is_of_another(folder, database_url):
                pages = int((folder / "statm").read_text().split()[1])
                yield Memory(service, folder.name, pages * _PAGE_BYTES)
        except (OSError, IndexError):
            continue  # the process has ended meanwhile


def _is_of_another(folder: Path, database_url: str) -> bool:
    try:
        environment = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
    except PermissionError:
        return False
    named = [each for each in environment if each.startswith(_DATABASE)]
    return bool(named) and named != [_DATABASE + database_url]


def _service(arguments: Sequence[str]) -> str | None:
    """Name the service of a command line: `python -m services.writer run` is the writer."""
    match arguments:
        case [python, "-m", module, "run", *_] if "python" in python:
            package, _, service = module.partition(".")
            return service if package == "services" else None
        case [python, "-m", "services.dispatch" | "services.embedded", "demo", *_]:
            return "demo" if "python" in python else None
    return None
