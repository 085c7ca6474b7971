"""The HTTP server: a gateway (key, quota, faults) before the API, and the test entrances."""

import gzip
import logging
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from services.simulator.api.answers import (
    Answer,
    header_answer,
    html,
    server_error,
    too_many,
    unauthorized,
)
from services.simulator.api.informations import Publication
from services.simulator.api.operations import PREFIX, Api
from services.simulator.faults import FaultDesk, Mishap
from services.simulator.gateway.backstage import Backstage
from services.simulator.gateway.quota import Grant, ServerQuota, Witness
from services.simulator.gateway.ready_made import ReadyMadeApi
from services.simulator.options import SimulatorOptions
from services.simulator.register.recorded import RecordedRegister
from services.simulator.register.registers import GeneratedRegister

KEY_HEADER = "X-INSEE-Api-Key-Integration"

_LOG = logging.getLogger(__name__)
_LONGEST_BODY_BYTES = 1_000_000
_LONGEST_TARGET = 8_000  # characters, as many as gateways commonly accept
_IDLE_SECONDS = 120


class Gateway:
    """Key, quota, faults and API: all that a request meets, without its socket."""

    def __init__(self, options: SimulatorOptions) -> None:
        register = (
            GeneratedRegister(options)
            if options.records is None
            else RecordedRegister(options.records, options.day)
        )
        self._options = options
        self._faults = FaultDesk(options.faults, options.seed)
        self._quota = ServerQuota(options.requests_per_minute, options.requests_per_hour)
        self._witness = Witness()
        self.register = register
        publication = Publication(register.calendar)
        api = Api(register, self._faults, publication)
        self._api = ReadyMadeApi(api, register) if options.ready_made else api
        self.backstage = Backstage(register, self._faults, self._witness, publication)

    def answer(
        self,
        path: str,
        params: Mapping[str, str],
        key: str | None,
        refusal: Answer | None = None,
    ) -> Answer:
        """`refusal` answers a request of a wrong form, once key and quota are right."""
        number = self._witness.arrived()
        answer = self._answer(number, path, params, key, refusal)
        self._witness.answered(answer.status)
        return answer

    def _answer(
        self,
        number: int,
        path: str,
        params: Mapping[str, str],
        key: str | None,
        refusal: Answer | None,
    ) -> Answer:
        wanted = self._options.key
        if not key or (wanted is not None and key != wanted):
            return unauthorized()
        grant = self._quota.take(key)
        time.sleep(self._faults.latency_seconds(number))
        if not grant.allowed:
            answer = self._too_many()
        else:
            answer = refusal or self._granted(number, path, params)
        if self._options.rate_headers:
            answer.headers.update(_rate_headers(grant))
        return answer

    def _too_many(self) -> Answer:
        return too_many(self._options.error_shape, self._options.requests_per_minute)

    def _granted(self, number: int, path: str, params: Mapping[str, str]) -> Answer:
        mishap = self._faults.mishap(number)
        if mishap is Mishap.STORM:
            return self._too_many()
        if mishap is Mishap.ERROR:
            return server_error(self._options.error_shape, self._faults.knobs.error_status)
        if mishap is Mishap.HTML:
            return html(200, "Maintenance en cours")
        answer = self._api.answer(path, params)
        if mishap is Mishap.CUT:
            answer.cut = True
        elif mishap is Mishap.TRUNCATED:
            answer = replace(answer, body=answer.body[: len(answer.body) // 2])
        elif mishap is Mishap.EMPTY:
            answer = replace(answer, body=b"")
        return answer


def _rate_headers(grant: Grant) -> dict[str, str]:
    """Write the resets in milliseconds of the epoch, as one client saw them."""
    return {
        "x-rate-limit-limit": str(grant.minute_limit),
        "x-rate-limit-remaining": str(grant.minute_left),
        "x-rate-limit-reset": str(round(grant.minute_reset * 1000)),
        "x-quota-limit": str(grant.hour_limit),
        "x-quota-remaining": str(grant.hour_left),
        "x-quota-reset": str(round(grant.hour_reset * 1000)),
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1
    server: "_Server"

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
            key = self.headers.get(KEY_HEADER)
            path = address.path.removeprefix(PREFIX)
            refusal = self._refusal()
            self._send(self.server.gateway.answer(path, params, key, refusal))
        else:
            body = self._body if self.command == "POST" else None
            self._send(self.server.gateway.backstage.answer(address.path, params, body))

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, options: SimulatorOptions) -> None:
        self.gateway = Gateway(options)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((options.host, options.port), _Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override] # TCP only
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override] # TCP only
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close the connections that clients keep alive: they must not outlive the server."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    _LOG.debug("a connection was already closed")


class RunningServer:
    """A simulator that answers until it is stopped; also a context manager."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._server = _Server(options)
        self.register = self._server.gateway.register
        host, port = self._server.server_address[:2]
        self.port = int(port)
        self.root = f"http://{host!s}:{port}"
        self.url = self.root + PREFIX
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="simulator",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_server(options: SimulatorOptions) -> RunningServer:
    """Listen and answer in threads of this process.

    Raises OSError when the port is taken, BadOptionError when an option cannot be served.
    """
    return RunningServer(options)
