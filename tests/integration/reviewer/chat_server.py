"""A chat server that a test controls, for faults that llmock does not have."""

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.local_server import served

_NAMES = {
    "{NOM} est une entreprise située à {COMMUNE}.": ["nom", "commune"],
    "Son activité principale porte l’intitulé « Travaux de menuiserie bois et PVC ».": ["activite"],
    "Cet établissement figure au répertoire Sirene.": [],
}
GOOD = " ".join(_NAMES)


def completion(content: object, *, finish_reason: str = "stop", **more: Any) -> bytes:
    """Return the body of an answer; `more` are its other fields, for example `usage`."""
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 1200, "completion_tokens": 120}
    return json.dumps({"choices": [choice], "usage": usage, **more}).encode()


def phrases(content: str = GOOD) -> str:
    """Return the text in the shape that the prompt asks for; it names the facts of GOOD only."""
    texts = re.split(r"(?<=\.) ", content)
    told = [{"texte": one, "faits": _NAMES.get(one, [])} for one in texts]
    return json.dumps({"phrases": told}, ensure_ascii=False)


def text(content: str = GOOD, **more: Any) -> bytes:
    return completion(phrases(content), **more)


@dataclass(frozen=True)
class Response:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait_seconds: float = 0
    cut: bool = False
    """The connection is reset instead of an answer."""
    drip: bool = False
    """The body comes byte by byte, for ever."""


Respond = Callable[[dict[str, Any]], Response]


class ChatServer(ThreadingHTTPServer):
    """`requests` are the bodies that came in, with their `headers`; `respond` answers each."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, respond: Respond, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.respond = respond
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.gone = threading.Event()
        self._kept = threading.Lock()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def keep(self, body: dict[str, Any], headers: dict[str, str]) -> None:
        with self._kept:
            self.requests.append(body)
            self.headers.append(headers)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore callers that went away: some tests want them to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:  # the name that http.server looks for
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.gone.is_set():  # The connection was kept open.
            self.close_connection = True
            return
        self.server.keep(body, dict(self.headers))
        response = self.server.respond(body)
        self.server.gone.wait(response.wait_seconds)
        if response.cut:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in response.headers:
            length = len(response.body) + response.drip * 10_000
            self.send_header("Content-Length", str(length))
        else:
            self.close_connection = True  # The header promises more bytes.
        self.end_headers()
        self.wfile.write(response.body)
        while response.drip and not self.server.gone.wait(0.1):
            self.wfile.write(b" ")

    def log_message(self, *_: object) -> None:
        """Log nothing: tests read the requests."""


@contextmanager
def chat_server(respond: Respond, *, port: int = 0) -> Iterator[ChatServer]:
    server = ChatServer(respond, port)
    with served(server, let_go=server.gone.set):
        yield server
