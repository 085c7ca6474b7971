"""llmock, a chat server that nobody here wrote, as a child process."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from deploy.local import processes
from deploy.local.errors import LocalServerError

_START_SECONDS = 60.0


@dataclass(frozen=True)
class Llmock:
    url: str
    pid: int

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def expect(self, *behaviours: Mapping[str, Any]) -> None:
        """Each kind of behaviour is a queue of its own; `times` None is for ever."""
        answer = requests.post(
            f"{self.url}/_llmock/scenario", json={"behaviors": behaviours}, timeout=10
        )
        answer.raise_for_status()

    def waiting(self, kind: str) -> int:
        """How many behaviours of a kind nobody has met yet."""
        answer = requests.get(f"{self.url}/_llmock/scenario", timeout=10)
        answer.raise_for_status()
        return sum(each["type"] == kind for each in answer.json()["pending"])

    def reset(self) -> None:
        requests.post(f"{self.url}/_llmock/reset", timeout=10).raise_for_status()

    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.url}/_llmock/verdict", timeout=60).json()
        return found

    def records(self) -> list[dict[str, Any]]:
        """The last 10 000 calls."""
        found = requests.get(f"{self.url}/_llmock/requests", timeout=60).json()["requests"]
        return [each for each in found if each["path"].endswith("/chat/completions")]


@contextmanager
def llmock_server(*options: str, log: Path = Path("/dev/null")) -> Iterator[Llmock]:
    port = processes.free_port()
    process = processes.start_server(
        [
            *(sys.executable, "-m", "llmock.cli", "serve", "--log-level", "error"),
            *("--port", str(port), *options),
        ],
        log=log,
        parent_death_signal=signal.SIGTERM,
    )
    try:
        _wait_until_up(process.pid, f"http://127.0.0.1:{port}/health")
        yield Llmock(f"http://127.0.0.1:{port}", process.pid)
    finally:
        processes.kill_all([process.pid])
        processes.reap(process)


def _wait_until_up(pid: int, url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while processes.is_alive(pid) and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise LocalServerError("llmock does not start: make install brings it")
