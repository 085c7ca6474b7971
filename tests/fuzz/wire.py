"""A server that sends what it is given, byte by byte as it is, and counts what it was asked."""

import re
import socket
import threading
from collections.abc import Callable

from tests.fuzz.insee import Spoiled


class WireServer:
    """`respond` is given the target of each request; keeps connections open where it says so."""

    def __init__(self, respond: Callable[[str], Spoiled]) -> None:
        self.respond = respond
        self.requests = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in list(self._open):
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            while (target := _read_target(connection)) is not None:
                self.requests += 1
                answer = self.respond(target)
                connection.sendall(answer.octets)
                if not answer.kept_open:
                    return
        except OSError:
            return  # the client had enough
        finally:
            self._open.discard(connection)
            connection.close()


def _read_target(connection: socket.socket) -> str | None:
    request = b""
    while b"\r\n\r\n" not in request:
        if not (more := connection.recv(65536)):
            return None
        request += more
    found = re.match(rb"GET (\S+)", request)
    return found[1].decode() if found else ""
