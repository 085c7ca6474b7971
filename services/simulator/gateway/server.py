"""The HTTP server of the API and of the test entrances."""

import gzip
import logging
import socket
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from services.simulator.api.answers import Answer, header_answer
from services.simulator.api.operations import PREFIX
from services.simulator.gateway.gateway import Gateway
from services.simulator.options import SimulatorOptions

KEY_HEADER = "X-INSEE-Api-Key-Integration"

_LOG = logging.getLogger(__name__)
_LONGEST_BODY_BYTES = 1_000_000
_LONGEST_TARGET = 8_000  # characters, as many as gateways commonly accept
_IDLE_SECONDS = 120


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "RunningServer"

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_BODY_BYTES:
            self.close_connection = True
            self._send(Answer(413, b""))
            return
        self._body = self.rfile.read(int(length))
        form = {}
        if "urlencoded" in self.headers.get("Content-Type", ""):
            form = _single(self._body.decode("utf-8", errors="replace"))
        self._serve(form)

    def _serve(self, form: Mapping[str, str]) -> None:
        address = urlsplit(self.path)
        params = _single(address.query) | dict(form)
        if address.path.startswith(PREFIX):
            path, key = address.path.removeprefix(PREFIX), self.headers.get(KEY_HEADER)
            self._send(self.server.gateway.answer(path, params, key, self._refusal()))
        else:
            body = self._body if self.command == "POST" else None
            self._send(self.server.gateway.entrance(address.path, params, body))

    def _refusal(self) -> Answer | None:
        """Refuse a wrong form with INSEE's usual body: those of 414 and 406 were never recorded."""
        if len(self.path) > _LONGEST_TARGET:
            return header_answer(414, "Requête trop longue")
        accept = self.headers.get("Accept", "*/*")
        if "json" not in accept and "*/*" not in accept and "application/*" not in accept:
            return header_answer(406, "Le paramètre Accept contient une valeur non prévue")
        return None

    def _send(self, answer: Answer) -> None:
        body = answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", answer.content_type)
        if "gzip" in self.headers.get("Accept-Encoding", "") and body:
            body = gzip.compress(body, compresslevel=1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.cut:
            self.close_connection = True
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            _LOG.debug("a client went away")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        _LOG.debug(format, *args)


def _single(query: str) -> dict[str, str]:
    """Read the parameters; the last of a name counts."""
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}


class RunningServer(ThreadingHTTPServer):
    """A simulator that answers in threads until it is stopped; also a context manager.

    Raises OSError when the port is taken, BadOptionError when an option cannot be served.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, options: SimulatorOptions) -> None:
        self.gateway = Gateway(options)
        self.register = self.gateway.register
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((options.host, options.port), _Handler)
        host, self.port = self.server_address[:2]
        self.root = f"http://{host!s}:{self.port}"
        self.url = self.root + PREFIX
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.1,), name="simulator", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._hang_up()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override] # TCP only
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override] # TCP only
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def _hang_up(self) -> None:
        """Close the connections that clients keep alive: they must not outlive the server."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    _LOG.debug("a connection was already closed")
