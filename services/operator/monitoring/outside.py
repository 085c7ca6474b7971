"""The memory of processes, from Prometheus or from /proc, and the alerts of Prometheus."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from services.operator.monitoring.http import get_json
from shared.alerts import Alert

_MEMORY = 'process_resident_memory_bytes{job=~"fetcher|writer|reviewer|operator"}'
_DATABASE = "SIRENADE_DATABASE_URL="
_PROC = Path("/proc")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


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
        found = self._get("query?" + urlencode({"query": _MEMORY}))["result"]
        return sorted(
            (
                Memory(each["metric"]["job"], each["metric"]["instance"], int(each["value"][1]))
                for each in found
            ),
            key=lambda memory: (memory.service, memory.process),
        )

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
    folders = sorted(
        (path for path in proc.glob("[0-9]*") if path.name.isdigit()),
        key=lambda path: int(path.name),
    )
    return sorted(_measured(folders, database_url), key=lambda memory: memory.service)


def _measured(folders: Sequence[Path], database_url: str) -> Iterator[Memory]:
    for folder in folders:
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
        case [python, "-m", "services.dispatch" | "services.embedded", "demo", *_] if (
            "python" in python
        ):
            return "demo"
        case _:
            return None
