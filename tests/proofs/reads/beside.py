"""The portal, its indexer and the process of its readers beside a proof's stack."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests

from deploy.local import processes
from deploy.local.errors import LocalServerError
from shared.errors import UserError
from tests.proofs.reads.answers import ReadRun
from tests.proofs.stack import Stack
from tests.readers import portal_address

SETTINGS = {
    "SIRENADE_PORTAL_PORT": "0",
    # All readers come from one address.
    "SIRENADE_PORTAL_ANONYMOUS_PER_MINUTE": "1000000",
}
"""Settings of a stack whose portal is read."""
_COMMANDS = {
    "indexer": ("services.portal", "index"),
    "portal": ("services.portal", "run"),
}
_START_SECONDS = 60.0
_END_SECONDS = 60.0
_READERS = "readers"


@dataclass
class ReadsBeside:
    """The portal and its readers at work; what they saw is there when they have ended."""

    stack: Stack
    _started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, readers: int) -> None:
        """Raises LocalServerError where the portal does not answer."""
        for name, command in _COMMANDS.items():
            self._start(name, *command)
        self._start(
            *(_READERS, "tests.proofs.reads", self._address(), str(self._file), str(readers))
        )

    def run(self) -> ReadRun:
        """End the readers and return what they saw. Raises UserError where anybody ended before."""
        for name, process in self._started.items():
            if process.poll() is not None:
                raise UserError(f"{name} has ended: see {self._log(name)}")
        self._end(_READERS)
        if not self._file.exists():
            raise UserError(f"a reader has failed: see {self._log(_READERS)}")
        run = ReadRun.read(self._file)
        self._file.unlink()
        return run

    def stop(self) -> None:
        for name in reversed(list(self._started)):
            self._end(name)

    @property
    def _file(self) -> Path:
        return self.stack.directory / "reads.json"

    def _log(self, name: str) -> Path:
        return self.stack.logs / f"{name}.log"

    def _start(self, name: str, *command: str) -> None:
        process = self._started[name] = self.stack.start_module(name, *command)
        self.stack.beside[name] = process.pid

    def _end(self, name: str) -> None:
        self.stack.beside.pop(name, None)
        process = self._started.pop(name)
        process.terminate()
        processes.kill_all(processes.wait_until_gone([process.pid], seconds=_END_SECONDS))
        processes.reap(process)

    def _address(self) -> str:
        log, process = self._log("portal"), self._started["portal"]
        deadline = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if address := portal_address(log):
                with suppress(requests.RequestException):
                    if requests.get(f"{address}/readyz", timeout=5).ok:
                        return address
            time.sleep(0.1)
        raise LocalServerError(f"the portal does not answer: see {log}")


@contextmanager
def reads_beside(stack: Stack, readers: int) -> Iterator[ReadsBeside | None]:
    """Run the portal and its readers until the block ends; yield None for no readers."""
    if not readers:
        yield None
        return
    reads = ReadsBeside(stack)
    try:
        reads.start(readers)
        yield reads
    finally:
        reads.stop()
