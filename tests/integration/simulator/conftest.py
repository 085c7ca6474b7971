import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions

Start = Callable[[SimulatorOptions], RunningServer]
Launch = Callable[..., tuple[subprocess.Popen[str], str]]

_ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def insee() -> Path:
    """Return the folder of recorded answers."""
    return Path(__file__).parents[2] / "fixtures" / "insee"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a simulator in this process; all are stopped after the test."""
    running: list[RunningServer] = []

    def begin(options: SimulatorOptions) -> RunningServer:
        running.append(RunningServer(options))
        return running[-1]

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Run the simulator as a process and return its address; the test's end stops it."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        port_file = tmp_path / f"port-{len(processes)}"
        command = [sys.executable, "-m", "services.simulator", "--port-file", str(port_file)]
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=_ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        deadline = time.monotonic() + 60
        while not port_file.exists():
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline, "the simulator does not listen"
            time.sleep(0.02)
        return process, f"http://127.0.0.1:{port_file.read_text('ascii').strip()}"

    yield begin
    for process in processes:
        process.kill()
        process.communicate()
