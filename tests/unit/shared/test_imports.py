"""Nothing happens at import: no connection, no process, no thread, no file written."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SCRIPT = """
import sys, threading
package, here = sys.argv[1], []
def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event == "socket.bind" and arguments[1] == ("::1", 0):
        return  # urllib3 asks whether there is IPv6
    if event in {"socket.connect", "socket.bind", "subprocess.Popen", "os.system"} or writes:
        here.append((event, str(arguments)))
import importlib, pkgutil
sys.dont_write_bytecode = True
sys.addaudithook(watch)
root = importlib.import_module(package)
names = [package] + [m.name for m in pkgutil.walk_packages(root.__path__, package + ".")]
names = [n for n in names if "migrations" not in n]
for name in names:
    importlib.import_module(name)
assert not here, here
assert threading.active_count() == 1, threading.enumerate()
foreign = {"fetcher", "writer", "reviewer", "operator", "simulator"} - {package.rpartition(".")[2]}
loaded = [m for m in sys.modules if any(m.startswith("services." + f) for f in foreign)]
assert not loaded, loaded
print(len(names))
"""


@pytest.mark.parametrize(
    "package",
    [
        "shared",
        *(f"services.{name}" for name in ("fetcher", "writer", "reviewer", "operator")),
        "services.simulator",
    ],
)
def test_importing_a_package_does_nothing_and_loads_no_other_service(package: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, package],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 2


_LOADED = """
import importlib, sys
importlib.import_module(f"services.{sys.argv[1]}.__main__")
print(*{name.partition(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize("service", ["fetcher", "writer", "reviewer", "operator"])
def test_a_service_keeps_no_library_in_memory_that_only_a_command_needs(service: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, service],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert not {"alembic", "mako", "matplotlib", "numpy", "pyarrow"} & set(done.stdout.split())
