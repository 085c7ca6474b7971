"""A receiver of webhooks: a real server, which answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    headers: Mapping[str, str]
    body: bytes

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Return siret and kind of each change."""
        told: list[dict[str, Any]] = json.loads(self.body)["changements"]
        return [(change["siret"], change["genre"]) for change in told]


@dataclass
class Receiver:
    url: str = ""
    received: list[Received] = field(default_factory=list)
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    wait: Callable[[], None] = lambda: None

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [change for message in self.received for change in message.changes]

    @property
    def ids(self) -> list[str]:
        return [message.headers["webhook-id"] for message in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve on this machine; every message is kept before it is answered."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(headers, body))
            receiver.wait()
            self.send_response_only(receiver.status)
            if "Date" not in receiver.headers:
                self.send_header("Date", self.date_time_string())
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/changes"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
