"""A server of HTTP that ends in good order, and the socket that it listens on."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from shared.errors import UserError

BACKLOG = 1024


class GracefulServer(uvicorn.Server):
    """uvicorn's server, which raises the signal again after a stop in good order: this one not."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        yield


def listen(host: str, port: int, *, name: str) -> socket.socket:
    """Listen there; `name` is who listens, as its settings call it. Raises UserError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UserError(
            f"the {name} cannot listen on {host}:{port} ({error.strerror}): "
            f"set SIRENADE_{name.upper()}_PORT to a free port, or to 0 for any"
        ) from None
    listening.listen(BACKLOG)
    listening.set_inheritable(True)
    return listening
