"""The far end of a process that renews pages: it ends when the command does."""

import contextlib
import signal
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection

from sqlalchemy import Engine

from services.writer.stock.renewers.group import renew_group
from shared.db.engine import make_engine
from shared.db.leases.keeper import fence
from shared.runtime.memory import freeze_objects, return_freed_memory
from shared.sirene import reference
from shared.terminal.tracebacks import hide_rows


def serve(pipe: Connection) -> None:
    """Renew the groups that come after database and lease, until the pipe is closed.

    Each group is answered by None, or by the error that it met.
    """
    # Ctrl-C reaches every process of a terminal; the command ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hide_rows()
    return_freed_memory()
    reference.load()
    freeze_objects()
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        url, lease, sole_traders = pipe.recv()
        engine = make_engine(
            url, application_name="sirenade-stock", pool_size=1, statement_timeout_seconds=0
        )
        if lease is not None:
            fence(engine, lease)
        while True:
            pipe.send(_renew(engine, pipe.recv(), sole_traders=sole_traders))


def _renew(engine: Engine, sirets: Sequence[str], *, sole_traders: bool) -> Exception | None:
    try:
        renew_group(engine, sirets, sole_traders=sole_traders)
    except Exception as error:  # noqa: BLE001  the command raises it
        return error
    return None


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
