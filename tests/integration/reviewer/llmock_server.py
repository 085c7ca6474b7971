"""llmock, a chat server that nobody here wrote, as a process of its own."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from tests.integration.reviewer.chat_server import GOOD

_START_SECONDS = 60.0
GOOD_REPLY: Mapping[str, Any] = {
    "type": "reply",
    "text": json.dumps({"texte": GOOD}, ensure_ascii=False),
    "times": None,
}


@dataclass(frozen=True)
class Llmock:
    url: str

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def expect(self, *behaviours: Mapping[str, Any]) -> None:
        """Each kind of behaviour is a queue of its own; `times` None is for ever."""
        answer = requests.post(
            f"{self.url}/_llmock/scenario", json={"behaviors": behaviours}, timeout=10
        )
        answer.raise_for_status()

    def reset(self) -> None:
        requests.post(f"{self.url}/_llmock/reset", timeout=10).raise_for_status()

    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.url}/_llmock/verdict", timeout=60).json()
        return found

    def records(self) -> list[dict[str, Any]]:
        found = requests.get(f"{self.url}/_llmock/requests", timeout=60).json()["requests"]
        return [each for each in found if each["path"].endswith("/chat/completions")]


@contextmanager
def llmock_server(*options: str) -> Iterator[Llmock]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llmock.cli", "serve", "--log-level", "error"]
    process = subprocess.Popen([*command, "--port", str(port), *options], stdout=subprocess.DEVNULL)
    try:
        _wait_until_up(process, f"http://127.0.0.1:{port}/health")
        yield Llmock(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def _wait_until_up(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("llmock does not start")
