"""Server processes: started, found and ended, and none left behind."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil  # type: ignore[import-untyped]  # it ships no types

from deploy.local.errors import LocalServerError

HOME_MARK = "SIRENADE_SERVER_HOME"
"""A variable of servers that do not work in their own folder: they are found by it."""
_PR_SET_PDEATHSIG = 1
_START_SECONDS = 60.0
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Account:
    """The user that a server runs as."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """Return `postgres` or else `nobody` for root; None where servers run as the caller."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    return Account(65534, 65534)


def run_as(
    account: Account | None, command: list[str], *, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run to the end, from `/` because the account may not enter the current folder.

    The command has its own session: a Ctrl-C at the terminal would leave its work half done.
    """
    return subprocess.run(
        command,
        cwd="/",
        env=env,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        **_user(account),
    )


def _user(account: Account | None) -> dict[str, Any]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def start_server(  # noqa: PLR0913  each one is a property of the process
    command: list[str],
    *,
    log: Path,
    account: Account | None = None,
    env: dict[str, str] | None = None,
    cwd: str = "/",
    parent_death_signal: signal.Signals | None = None,
) -> subprocess.Popen[bytes]:
    """Start in a session of its own, so that a Ctrl-C at the terminal does not reach it.

    With `parent_death_signal` Linux ends the server when the *thread* that called this ends, so
    only a thread that lives as long as its process may ask for it.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **_user(account),
            # It runs after the change of user, which would clear the signal.
            preexec_fn=death_signal_hook(parent_death_signal),  # noqa: PLW1509  one prepared system call
        )


def death_signal_hook(number: signal.Signals | None) -> Callable[[], None] | None:
    """Return what a child calls first, so that it gets the signal when its parent has ended."""
    if number is None or sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def free_port() -> int:
    """Return a port that was free a moment ago: callers retry when their start fails."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_alive(pid: int) -> bool:
    """Return whether the process runs; a zombie is dead and waits for its parent."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_while_alive(
    pid: int, probe: Callable[[], ResultT], *, seconds: float = _START_SECONDS
) -> ResultT | None:
    """Return what `probe` finds first; None where the process ends before, or takes longer."""
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.05)
    return None


def processes_with(*, cwd: Path | None = None, environment: str | None = None) -> list[int]:
    """List the live processes that work in `cwd` or have the `NAME=value` in their environment."""
    name, _, value = (environment or "").partition("=")
    return _live_processes(
        lambda process: (
            (cwd is not None and Path(process.cwd()) == cwd)
            or (environment is not None and process.environ().get(name) == value)
        )
    )


def processes_below(folder: Path) -> list[int]:
    """List the live servers whose files lie in `folder`."""
    return _live_processes(
        lambda process: any(
            Path(home).is_relative_to(folder)
            for home in (process.cwd(), process.environ().get(HOME_MARK, "/"))
        )
    )


def _live_processes(matches: Callable[[psutil.Process], bool]) -> list[int]:
    """List other processes that match; one that this user may not read never does."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            lives = process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
            if lives and matches(process):
                found.append(process.pid)
    return found


def with_children(pid: int) -> list[int]:
    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def wait_until_gone(pids: Iterable[int], *, seconds: float) -> list[int]:
    """Return the pids that still live after at most `seconds`."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [pid for pid in left if is_alive(pid)]
    return left


def kill_all(pids: Iterable[int]) -> None:
    """Kill the processes and wait until they are gone."""
    pids = list(pids)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if left := wait_until_gone(pids, seconds=10):
        raise TimeoutError(f"processes {left} survive SIGKILL")


@contextmanager
def child(
    command: list[str], probe: Callable[[], ResultT], complaint: str, **options: Any
) -> Iterator[tuple[int, ResultT]]:
    """Run a server as long as the block; yield its pid and what `probe` found.

    `options` are those of `start_server`. Raises LocalServerError with the complaint where it does
    not start.
    """
    process = start_server(command, parent_death_signal=signal.SIGTERM, **options)
    try:
        if not (found := wait_while_alive(process.pid, probe)):
            raise LocalServerError(complaint)
        yield process.pid, found
    finally:
        kill_all([process.pid])
        reap(process)


def reap(process: subprocess.Popen[bytes] | None) -> None:
    """Collect the exit status of a child that has ended."""
    if process is not None:
        process.wait(timeout=10)


def describe(pid: int) -> str:
    try:
        return f"{pid} {' '.join(psutil.Process(pid).cmdline())[:120]}"
    except psutil.Error:
        return str(pid)
