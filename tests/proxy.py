"""A proxy before a server: it cuts connections, or freezes, and nothing comes back any more."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_CHUNK_BYTES = 1 << 16


@dataclass
class Proxy:
    """`frozen` keeps back every answer; connections stay open."""

    target: tuple[str, int]
    listener: socket.socket
    frozen: threading.Event = field(default_factory=threading.Event)
    _open: set[socket.socket] = field(default_factory=set)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def cut(self) -> None:
        """End all connections; new ones are taken."""
        for each in list(self._open):
            self._end(each)

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                self._open |= {client, server}
                for one, other, is_answer in ((client, server, False), (server, client, True)):
                    arguments = (one, other, is_answer)
                    threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := one.recv(_CHUNK_BYTES):
                if not (is_answer and self.frozen.is_set()):
                    other.sendall(data)
        self._end(one)
        self._end(other)

    def _end(self, one: socket.socket) -> None:
        self._open.discard(one)
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def proxy_before(host: str, port: int) -> Iterator[Proxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy((host, port), listener)
        threading.Thread(target=proxy.accept, daemon=True).start()
        yield proxy
        proxy.cut()
