"""Two servers that others wrote to stand in for Elasticsearch, each on a port of its own.

Both are young and for tests alone. Their binaries are in packages of PyPI
(`requirements/elasticsearch.txt`), in an environment of their own: one of them would add itself to
pytest.
"""

import contextlib
import http.client
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.local import processes
from tests.environments import python_of

EMULATORS = ("osmem-server", "noida-db")


@contextlib.contextmanager
def running_emulator(name: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty server. Raises LocalServerError where it does not start."""
    port = processes.free_port()
    command = _COMMANDS[name](find_or_fetch_emulators(), port, folder)
    log = folder / f"{name}.log"
    with processes.child(
        command, lambda: _answers(port), f"{name} does not start: see {log}", log=log
    ):
        yield f"http://127.0.0.1:{port}"


def find_or_fetch_emulators() -> Path:
    """Return the folder of their packages; fetch these (25 MB) where they are missing."""
    [packages] = python_of("elasticsearch").parents[1].glob("lib/python*/site-packages")
    return packages


def _osmem(packages: Path, port: int, _folder: Path) -> list[str]:
    program = packages / "osmem_server" / "bin" / "osmem-server"
    return [str(program), "--addr", f"127.0.0.1:{port}", "--no-ja", "--no-stdin-watch"]


def _noida(packages: Path, port: int, folder: Path) -> list[str]:
    program = packages / "noida_db" / "noida-db"
    # The wheel holds it as a plain file.
    program.chmod(0o755)
    data = ["--data-dir", str(folder / "noida")]
    return [
        *(str(program), "start", "--only", "elasticsearch", "--host", "127.0.0.1"),
        *("--elasticsearch-port", str(port), *data),
    ]


_COMMANDS: dict[str, Callable[[Path, int, Path], list[str]]] = {
    "osmem-server": _osmem,
    "noida-db": _noida,
}


def _answers(port: int) -> bool:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(client):
        client.request("GET", "/")
        return client.getresponse().status == 200
    return False
