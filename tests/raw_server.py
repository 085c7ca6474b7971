"""A server of raw bytes, which misbehaves as no simulator does."""

import contextlib
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.certificates import Authority

Answer = Callable[[socket.socket], None]

HEAD = b"HTTP/1.1 200 OK\r\n"
_PIECE = b"x" * (1 << 16)


class RawServer:
    """Answers each connection with the bytes of a function; keeps the requests."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        # The client may close at any moment.
        with contextlib.suppress(OSError), connection:
            if self._tls is None:
                self._exchange(connection)
                return
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._exchange(secured)

    def _exchange(self, connection: socket.socket) -> None:
        self.requests.append(connection.recv(65536))
        self._answer(connection)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextlib.contextmanager
def raw_server(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    server = RawServer(answer, tls)
    try:
        yield server
    finally:
        server.close()


def response(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def saying(data: bytes) -> Answer:
    return lambda to: to.sendall(data)


def dripping(head: bytes, piece: bytes) -> Answer:
    """Send a piece again and again, each well before the timeout of one read."""

    def drip(to: socket.socket) -> None:
        to.sendall(head)
        for _ in range(600):
            to.sendall(piece)
            time.sleep(0.1)  # the pace of the bytes is what is tested

    return drip


def flooding(head: bytes, piece: bytes = _PIECE) -> Answer:
    """Send without an end, as fast as it is read."""

    def flood(to: socket.socket) -> None:
        to.sendall(head)
        while True:
            to.sendall(piece)

    return flood


def bomb(body_bytes: int) -> bytes:
    """Return an answer whose body is a thousandth of this while it is packed."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(body_bytes >> 20))
    body += packer.flush()
    return response("200 OK", body, "Content-Encoding: gzip")


LATE: dict[str, Answer] = {
    "silence": lambda _to: time.sleep(60),
    "headers by the byte": dripping(HEAD + b"X-Slow: ", b"x"),
    "headers by the line": dripping(HEAD, b"X-Slow: x\r\n"),
    "100 Continue for ever": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body by the byte": dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "body by the chunk": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "trailers by the line": dripping(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Slow: x\r\n"
    ),
}
"""Answers that never end; no read of theirs takes long, but for the first."""

LONG: dict[str, Answer] = {
    "endless body": flooding(HEAD + b"Connection: close\r\n\r\n"),
    "endless chunks": flooding(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + _PIECE[:4096] + b"\r\n"
    ),
    "endless trailers": flooding(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Many: x\r\n" * 5000
    ),
    "gzip bomb": lambda to: to.sendall(bomb(64 << 20)),
}
"""Answers of more bytes than anyone asked for."""

BROKEN: dict[str, Answer] = {
    "nothing": lambda _to: None,
    "no HTTP": saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "endless line": flooding(HEAD + b"X-Long: "),
    "endless headers": flooding(HEAD, b"X-Many: x\r\n" * 5000),
    "endless size of a chunk": flooding(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
    "endless trailer": flooding(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"),
    "endless status": flooding(b"HTTP/1.1 200 "),
    "cut body": saying(HEAD + b"Content-Length: 100\r\n\r\nx"),
    "cut chunk": saying(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nx"),
    "no gzip": saying(response("200 OK", b"plain", "Content-Encoding: gzip")),
    "another encoding": saying(response("200 OK", b"x", "Content-Encoding: zstd")),
}


def make_certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """Return the file of an authority, and the context of a server that it has signed."""
    authority = Authority(folder)
    issued = authority.issue(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    return authority.file, context
