"""R8 in bulk: floods, slow clients by the hundred, heads without an end. Two processes answer."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conditions import wait_until
from tests.integration.writer.desk import Desk
from tests.integration.writer.index_pages import index_pages
from tests.integration.writer.records import Records
from tests.portals import PortalAnswer, Server, read, started_portal

_CLIENTS = 40
"""The clients that one process serves at once; it holds twice as many connections."""
_SLOW = 400
_PAGE = "/pages/le-fournil-bordeaux-00000000100001"
_MB = 1_000_000
_SEVERAL = 64


@pytest.fixture
def server(database_url: str, desk: Desk, records: Records, tmp_path: Path) -> Iterator[Server]:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    index_pages(desk.shards)
    settings = {
        "PORTAL_WORKERS": "2",
        "PORTAL_CLIENTS": str(_CLIENTS),
        "PORTAL_PATIENCE_SECONDS": "3",
        "PORTAL_CONNECTIONS": "1",
    }
    with started_portal(tmp_path, database_url, **settings) as server:
        yield server


def _asked(server: Server, path: str, seconds: float = 20) -> PortalAnswer:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=seconds)
    try:
        client.request("GET", path)
        return read(client)
    finally:
        client.close()


def _flood(server: Server, paths: Sequence[str], *, seconds: float) -> list[PortalAnswer]:
    """Ask from many threads; a connection that is refused is told so before it asks."""
    until = time.monotonic() + seconds

    def ask(path: str) -> list[PortalAnswer]:
        answers = []
        while time.monotonic() < until:
            try:
                answers.append(_asked(server, path))
            except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
                continue
        return answers

    with ThreadPoolExecutor(_SEVERAL) as threads:
        asked = threads.map(ask, [paths[n % len(paths)] for n in range(_SEVERAL)])
        return [answer for answers in asked for answer in answers]


def _grown_bytes(server: Server, work: Callable[[], object]) -> int:
    """Return the memory that a second time takes, after a first one."""
    work()
    before = server.memory_bytes
    work()
    return server.memory_bytes - before


def test_a_flood_is_told_to_come_later_and_takes_no_memory(server: Server) -> None:
    paths = ("/api/v1/recherche?q=fournil", "/recherche?q=fourni+bordeaux", _PAGE)
    answers: list[PortalAnswer] = []
    grown = _grown_bytes(server, lambda: answers.extend(_flood(server, paths, seconds=2)))
    assert {answer.status for answer in answers} <= {200, 429, 503}
    refused = [answer for answer in answers if answer.status != http.client.OK]
    assert len(refused) > _SEVERAL
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert sum(answer.status == http.client.OK for answer in answers) > _SEVERAL
    assert grown < 16 * _MB
    assert _asked(server, _PAGE).status == http.client.OK


def test_hundreds_of_slow_clients_keep_nobody_out(server: Server) -> None:
    """Each sends a byte now and then, as if its request was to end one day."""

    def bear_them() -> None:
        with ExitStack() as stack:
            slow = []
            for _ in range(_SLOW):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                slow.append(client)
            for _ in range(30):
                for client in slow[::10]:
                    _send(client, b"x")
                assert _asked(server, _PAGE, seconds=10).status == http.client.OK
            wait_until(lambda: sum(server.clients_of_processes()) == 0, seconds=20)

    assert _grown_bytes(server, bear_them) < 16 * _MB


def _send(client: socket.socket, sent: bytes) -> bool:
    """Return whether the server still takes it."""
    try:
        client.sendall(sent)
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-",
        b"GET /",
    ],
    ids=["value", "name", "address"],
)
def test_heads_without_an_end_are_cut_and_take_no_memory(server: Server, head: bytes) -> None:
    sent: list[int] = []

    def send() -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
            client.sendall(head)
            pieces = 0
            while pieces < 50 and _send(client, b"x" * _MB):
                pieces += 1
            sent.append(pieces)

    def send_from_some() -> None:
        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert _grown_bytes(server, send_from_some) < 16 * _MB
    # The sockets' own buffers take some.
    assert max(sent) < 20
    assert _asked(server, _PAGE).status == http.client.OK
