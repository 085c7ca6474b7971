"""Processes that renew pages. Python's share of a page is larger than the server's.

The threads of one process compute one at a time: with them, one of two cores waits.
"""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing import Pipe
from pathlib import Path
from queue import SimpleQueue

from sqlalchemy import Engine

from shared.db.leases.rows import Lease
from shared.errors import UserError

Renew = Callable[[Sequence[str]], None]
_Idle = SimpleQueue["_Renewer"]
_PACKAGE = "services.writer.stock.renewers"
_ROOT = Path(__file__).parents[_PACKAGE.count(".") + 1]


@contextlib.contextmanager
def start_renewers(
    engine: Engine, number: int, lease: Lease | None = None, *, sole_traders: bool
) -> Iterator[Renew]:
    """Start processes that end with this one; `number` threads may call the function at a time.

    They renew under the lease. It raises the error that its process met.
    """
    url = engine.url.render_as_string(hide_password=False)
    renewers: list[_Renewer] = []
    idle: _Idle = SimpleQueue()
    try:
        for _ in range(number):
            renewers.append(_Renewer(url, lease, sole_traders=sole_traders))
            idle.put(renewers[-1])
        yield partial(_renew_by_one, idle)
    finally:
        for renewer in renewers:
            renewer.end()


def _renew_by_one(idle: _Idle, sirets: Sequence[str]) -> None:
    renewer = idle.get()
    try:
        renewer.renew(sirets)
    finally:
        idle.put(renewer)


class _Renewer:
    """The near end of a process that renews one group at a time."""

    def __init__(self, url: str, lease: Lease | None, *, sole_traders: bool) -> None:
        self._pipe, theirs = Pipe()
        # It has the only other end: when this process is killed, it reads the end of the pipe.
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  this program
                [sys.executable, "-m", _PACKAGE, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                cwd=_ROOT,
            )
        self._pipe.send((url, lease, sole_traders))

    def renew(self, sirets: Sequence[str]) -> None:
        try:
            self._pipe.send(sirets)
            error: Exception | None = self._pipe.recv()
        except (EOFError, OSError) as gone:
            raise UserError(
                "a process that renewed pages was ended; the same command goes on"
            ) from gone
        if error is not None:
            raise error

    def end(self) -> None:
        self._pipe.close()
        self._process.wait()
