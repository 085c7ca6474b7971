"""GET of JSON over HTTP; the memory of processes, from Prometheus or /proc; the firing alerts."""

import http.client
import json
import os
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from shared.alerts import Alert
from shared.errors import SirenadeError

_MEMORY = 'process_resident_memory_bytes{job=~"fetcher|writer|reviewer|operator"}'
_DATABASE = "SIRENADE_DATABASE_URL="
_PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TIMEOUT_SECONDS = 2.0


class Unanswered(SirenadeError):
    """Raised when no answer comes, or none that can be read; its text never quotes an answer."""


def get_json(url: str, **headers: str) -> Any:
    """Return what the JSON at an http(s) URL holds. Raises Unanswered."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # http or https, as the settings check
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  # as above
            return json.load(answer)
    except (OSError, ValueError, http.client.HTTPException) as error:
        status = getattr(error, "code", None)
        raise Unanswered(str(status) if status else type(error).__name__) from None


@dataclass(frozen=True)
class Memory:
    """`process` is an address, or a process id on this machine."""

    service: str
    process: str
    rss_bytes: int


@dataclass(frozen=True)
class Prometheus:
    """Prometheus' HTTP API. Its methods raise Unanswered while it is away."""

    url: str

    def memory(self) -> list[Memory]:
        found = [
            Memory(each["metric"]["job"], each["metric"]["instance"], int(each["value"][1]))
            for each in self._get("query?" + urlencode({"query": _MEMORY}))["result"]
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

    def _get(self, path: str) -> Any:
        return get_json(f"{self.url}/api/v1/{path}")["data"]


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
