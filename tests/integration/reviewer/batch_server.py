"""A batch server that a test controls, for faults that llmock does not have."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.integration.reviewer.chat_server import text
from tests.local_server import served

USAGE = {"prompt_tokens": 1200, "completion_tokens": 120}

Request = dict[str, Any]
Answer = Callable[[Request], list[Request]]


def answered(request: Request, body: bytes | None = None) -> Request:
    """Return a line of an output file."""
    content = json.loads(text() if body is None else body)
    return {
        "id": "batch_req_1",
        "custom_id": request["custom_id"],
        "response": {"status_code": 200, "request_id": "r", "body": content},
        "error": None,
    }


def failed(request: Request, status: int, code: str = "server_error") -> Request:
    """Return a line of an error file."""
    response = {"status_code": status, "body": {"error": {"code": code}}}
    return {"custom_id": request["custom_id"], "response": response, "error": None}


def expired(request: Request) -> Request:
    error = {"code": "batch_expired", "message": "not begun in time"}
    return {"custom_id": request["custom_id"], "response": None, "error": error}


@dataclass
class Batch:
    id: str
    metadata: dict[str, str]
    requests: list[Request]


@dataclass
class Behaviour:
    """`answer` gives the lines of the output file for a request; `errors`, of the error file.

    `submits` and `contents` are what the next calls come to: a status, or "cut" once the server
    has done its work. `errors_told` are those of the batch itself. A moment in `stuck_at` never
    ends; `reached` tells that it has come.
    """

    answer: Answer = lambda request: [answered(request)]
    errors: Answer = lambda _request: []
    status: str = "completed"
    errors_told: list[Request] = field(default_factory=list)
    submits: list[int | str] = field(default_factory=list)
    contents: list[int | str] = field(default_factory=list)
    lists: bool = True
    stuck_at: str | None = None
    reached: threading.Event = field(default_factory=threading.Event)


class BatchServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.does = Behaviour()
        self.batches: list[Batch] = []
        self.files: dict[str, list[Request]] = {}
        self.gone = threading.Event()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def asked(self) -> list[Request]:
        return [request for batch in self.batches for request in batch.requests]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore callers that went away: some tests want them to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BatchServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/files":
            self._stop_at("upload")
            lines = [line for line in body.splitlines() if line.startswith(b'{"custom_id"')]
            name = f"file-{len(self.server.files)}"
            self.server.files[name] = [json.loads(line) for line in lines]
            self._tell({"id": name})
            return
        does = self.server.does
        wanted = json.loads(body)
        fate = does.submits.pop(0) if does.submits else 200
        if isinstance(fate, int) and fate != 200:
            self._tell({"error": {"code": "no"}}, status=fate)
            return
        batch = Batch(
            f"batch_{len(self.server.batches)}",
            wanted["metadata"],
            self.server.files[wanted["input_file_id"]],
        )
        self.server.batches.append(batch)
        self._stop_at("submit")
        if fate == "cut":
            self._cut()
        else:
            self._tell(self._remote(batch, "validating"))

    def do_GET(self) -> None:
        does = self.server.does
        path, _, _ = self.path.partition("?")
        if path == "/v1/batches":
            if not does.lists:
                self._tell({}, status=405)
                return
            newest = [self._remote(each, "in_progress") for each in self.server.batches[::-1]]
            self._tell({"data": newest, "has_more": False})
        elif path.endswith("/content"):
            self._content(path.split("/")[3])
        else:
            self._stop_at("poll")
            known = {batch.id: batch for batch in self.server.batches}
            batch = known.get(path.split("/")[3])
            if batch is None:
                self._tell({}, status=404)
            else:
                self._tell(self._remote(batch, does.status))

    def _content(self, name: str) -> None:
        kind, _, batch_id = name.partition("-")
        [batch] = [each for each in self.server.batches if each.id == batch_id]
        does = self.server.does
        make = does.answer if kind == "output" else does.errors
        lines = [json.dumps(line) for request in batch.requests for line in make(request)]
        body = "\n".join(lines[::-1]).encode()
        fate = does.contents.pop(0) if does.contents else 200
        if isinstance(fate, int) and fate != 200:
            self._tell({"error": {"code": "no_such_file"}}, status=fate)
        elif fate == "cut":
            self._tell_bytes(body, length=len(body) + 100)
            self._cut()
        else:
            self._tell_bytes(body)

    def _remote(self, batch: Batch, status: str) -> Request:
        over = status not in {"validating", "in_progress", "finalizing", "failed"}
        return {
            "id": batch.id,
            "status": status,
            "metadata": batch.metadata,
            "output_file_id": f"output-{batch.id}" if over else None,
            "error_file_id": f"error-{batch.id}" if over else None,
            "errors": {"object": "list", "data": self.server.does.errors_told},
        }

    def _stop_at(self, moment: str) -> None:
        if self.server.does.stuck_at == moment:
            self.server.does.reached.set()
            self.server.gone.wait()

    def _tell(self, told: Request, *, status: int = 200) -> None:
        self._tell_bytes(json.dumps(told).encode(), status=status)

    def _tell_bytes(self, body: bytes, *, status: int = 200, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing: tests read the requests."""


@contextmanager
def batch_server() -> Iterator[BatchServer]:
    server = BatchServer()
    with served(server, let_go=server.gone.set):
        yield server
