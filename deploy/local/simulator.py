"""The INSEE simulator as a child process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import processes
from deploy.local.folders import PROJECT

DEPARTEMENT = "33"
"""The département of all that it invents for a run."""
_API = "/api-sirene/3.11"


@dataclass(frozen=True)
class RunningSimulator:
    root: str
    """The address of its entrances for tests and demos."""
    pid: int

    @property
    def url(self) -> str:
        return self.root + _API


@contextmanager
def simulator(
    directory: Path, *, establishments: int, requests_per_minute: int
) -> Iterator[RunningSimulator]:
    """Run the simulator as a child, and end it afterwards. Raises LocalServerError."""
    directory.mkdir(parents=True, exist_ok=True)
    # A killed run may have left one: it keeps nothing and is replaced.
    mark = f"{processes.HOME_MARK}={directory}"
    processes.kill_all(processes.processes_with(environment=mark))
    port_file = directory / "port"
    port_file.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "services.simulator"),
        *("--port", "0", "--port-file", str(port_file)),
        *("--departement", DEPARTEMENT),
        *("--establishments", str(establishments)),
        *("--requests-per-minute", str(requests_per_minute)),
    ]
    log = directory / "simulator.log"
    with processes.child(
        command,
        lambda: port_file.exists() and port_file.read_text().strip(),
        f"the simulator does not start: see {log}",
        log=log,
        cwd=str(PROJECT),
        env={**os.environ, processes.HOME_MARK: str(directory)},
    ) as (pid, port):
        yield RunningSimulator(f"http://127.0.0.1:{port}", pid)
