"""A real web server for stock files, with the faults that real ones have."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.local_server import served


@dataclass
class Web:
    """Serves `data` at every path except /old, which redirects, and /busy, busy at first.

    `cuts`: one number for each request; its body ends after this number of bytes. `stall`: bodies
    stop there until a test sets it to None.
    """

    url: str = ""
    data: bytes = b""
    ranges: bool = True
    version: str = '"1"'
    cuts: list[int] = field(default_factory=list)
    stall: int | None = None
    busy: int = 0
    requests: list[str | None] = field(default_factory=list)
    going_on: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def do_GET(self) -> None:
        web = self.web
        web.requests.append(self.headers.get("Range"))
        if self.path == "/old":
            self._empty(302, Location=f"{web.url}/new")
        elif self.path == "/none":
            self._empty(404)
        elif web.busy > 0:
            web.busy -= 1
            self._empty(503)
        else:
            self._file(web)

    def _empty(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, web: Web) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(match[1]) if match and web.ranges else 0
        body = web.data[first:]
        self.send_response(206 if match and web.ranges else 200)
        if match and web.ranges:
            end = len(web.data) - 1
            self.send_header("Content-Range", f"bytes {first}-{end}/{len(web.data)}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", web.version)
        self.send_header("Last-Modified", "Sat, 01 Aug 2026 04:00:00 GMT")
        self.end_headers()
        cut = web.cuts.pop(0) if web.cuts else len(body)
        if web.stall is not None and first + cut > web.stall:
            self.wfile.write(body[: max(0, web.stall - first)])
            self.wfile.flush()
            web.going_on.wait(30)
            self.close_connection = True
            return
        self.wfile.write(body[:cut])
        self.close_connection = cut < len(body)

    def handle(self) -> None:
        # A reader that jumps in the file leaves the rest of a body unread.
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_arguments: Any) -> None: ...


@contextmanager
def serving(data: bytes) -> Iterator[Web]:
    web = Web(data=data)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": web}))
    server.daemon_threads = True
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    with served(server, let_go=web.going_on.set):
        yield web
