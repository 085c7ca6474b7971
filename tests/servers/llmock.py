"""llmock, a chat server that others wrote, as a child process."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from deploy.local import processes


@dataclass(frozen=True)
class Llmock:
    url: str
    pid: int

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def expect(self, *behaviours: Mapping[str, Any]) -> None:
        """Add behaviours; each kind has a queue of its own, and `times` None is for ever."""
        answer = requests.post(
            f"{self.url}/_llmock/scenario", json={"behaviors": behaviours}, timeout=10
        )
        answer.raise_for_status()

    def waiting(self, kind: str) -> int:
        """Count the behaviours of a kind that no call has met yet."""
        answer = requests.get(f"{self.url}/_llmock/scenario", timeout=10)
        answer.raise_for_status()
        return sum(each["type"] == kind for each in answer.json()["pending"])

    def reset(self) -> None:
        requests.post(f"{self.url}/_llmock/reset", timeout=10).raise_for_status()

    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.url}/_llmock/verdict", timeout=60).json()
        return found

    def records(self) -> list[dict[str, Any]]:
        """Return the calls for texts among the last 10 000."""
        found = requests.get(f"{self.url}/_llmock/requests", timeout=60).json()["requests"]
        return [each for each in found if each["path"].endswith("/chat/completions")]


@contextmanager
def llmock_server(*options: str, log: Path = Path("/dev/null")) -> Iterator[Llmock]:
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "llmock.cli", "serve", "--log-level", "error"]
    with processes.child(
        [*command, "--port", str(port), *options],
        lambda: _is_up(f"{url}/health"),
        "llmock does not start: make install brings it",
        log=log,
    ) as (pid, _):
        yield Llmock(url, pid)


def _is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False
