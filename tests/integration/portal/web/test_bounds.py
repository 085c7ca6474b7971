"""R8 in small: whatever a client sends, and however slowly, it gets an answer and costs little."""

import asyncio
import json
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from services.portal.web.connections import Connections, PreparedStatement
from services.portal.web.freshness import RegisterFreshness
from shared.errors import SlowDown
from tests.conditions import wait_until
from tests.integration.writer.desk import Desk
from tests.integration.writer.index_pages import index_pages
from tests.integration.writer.records import Records
from tests.portals import Portal, running_portal


@pytest.fixture
def hurried(database_url: str) -> Iterator[Portal]:
    """Return a portal of little patience, for few clients."""
    with running_portal(database_url, portal_patience_seconds=0.5, portal_clients=4) as portal:
        yield portal


def _answer(portal: Portal, sent: bytes, *, then: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", portal.port), timeout=20) as client:
        client.sendall(sent)
        if then:
            client.sendall(then)
        received = b""
        try:
            while part := client.recv(65_536):
                received += part
        except ConnectionResetError:
            pass
        return received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * 5_000), b"414"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: %s\r\n\r\n" % (b"x" * 20_000), b"431"),
        (b"GET / HTTP/1.1\r\n%s\r\n" % (b"A: x\r\n" * 100), b"431"),
        (b"POST /signaler/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n", b"413"),
        (b"\x16\x03\x01\x02\x00\x01", b"400"),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"4"),
    ],
)
def test_a_request_beyond_its_bounds_is_refused(
    hurried: Portal, sent: bytes, status: bytes
) -> None:
    assert _answer(hurried, sent).startswith(b"HTTP/1.1 " + status)
    assert hurried.get("/healthz").status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost:",
        b"POST /signaler/00000000100001 HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nabc",
        b"",
    ],
)
def test_a_client_that_stops_in_the_middle_is_let_go(hurried: Portal, sent: bytes) -> None:
    began = time.monotonic()
    received = _answer(hurried, sent)
    assert time.monotonic() - began < 10
    assert received == b"" or received.startswith(b"HTTP/1.1 4")


def test_clients_beyond_their_number_are_told_to_come_later(
    hurried: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    async def held(_state: RegisterFreshness) -> float:
        await asyncio.to_thread(answered.wait)
        return 0.0

    monkeypatch.setattr(RegisterFreshness, "index_lag_seconds", held)
    asking = b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n"
    busy = [socket.create_connection(("127.0.0.1", hurried.port), timeout=20) for _ in range(8)]
    try:
        for each in busy:
            each.sendall(asking)
        # Half of them wait for their answers, the others were told to come later.
        wait_until(lambda: len(select.select(busy, [], [], 0)[0]) == 4)
        told = [each.recv(12) for each in select.select(busy, [], [], 0)[0]]
        assert told == [b"HTTP/1.1 503"] * 4
    finally:
        answered.set()
        for each in busy:
            each.close()
    wait_until(lambda: hurried.get("/healthz").status == 200)


def test_whoever_lets_the_server_wait_longest_gives_way(hurried: Portal) -> None:
    idle = [socket.create_connection(("127.0.0.1", hurried.port), timeout=20) for _ in range(8)]
    assert hurried.get("/healthz").status == 200
    assert idle[0].recv(1) == b""
    for each in idle:
        each.close()


def test_a_statement_that_takes_too_long_is_answered_503(
    portal: Portal, desk: Desk, records: Records
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE pro_localisations IN ACCESS EXCLUSIVE MODE")
        answer = portal.get("/pages/le-fournil-bordeaux-00000000100001")
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
    assert portal.get("/pages/le-fournil-bordeaux-00000000100001").status == 200


def test_a_lost_connection_is_opened_again(portal: Portal, desk: Desk) -> None:
    assert portal.get("/readyz").status == 200
    desk.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'sirenade-portal' AND datname = current_database()"
    )
    assert portal.get("/readyz").status == 200


def test_answers_say_how_a_browser_must_treat_them(portal: Portal) -> None:
    headers = portal.get("/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_the_state_of_the_register_is_told(portal: Portal, desk: Desk) -> None:
    assert portal.get("/healthz").text == "ok\n"
    assert '"a_jour_au":null' in portal.get("/status").text
    desk.execute(
        "INSERT INTO watermarks (collection, treated_until) VALUES"
        " ('etablissements', '2026-08-05'), ('unites_legales', '2026-08-06')"
    )
    portal.parts.freshness._read_at = float("-inf")
    assert '"a_jour_au":"2026-08-05T00:00:00"' in portal.get("/status").text


def test_before_the_register_is_complete_its_last_import_is_told(
    portal: Portal, desk: Desk
) -> None:
    assert '"dernier_import":null' in portal.get("/status").text
    assert "import" not in portal.get("/").text
    desk.execute(
        "INSERT INTO import_runs (status, completed_at) VALUES"
        " ('complete', '2026-08-05 23:30+00'), ('running', NULL)"
    )
    portal.parts.freshness._read_at = float("-inf")
    assert '"dernier_import":"2026-08-06T01:30:00+02:00"' in portal.get("/status").text
    assert "Dernier import le 6 août 2026" in portal.get("/").text


def test_the_lag_of_the_index_and_the_time_of_answers_are_told(
    portal: Portal, desk: Desk, records: Records
) -> None:
    def told() -> tuple[float | None, float | None]:
        status = json.loads(portal.get("/status").body)
        return status["retard_index_secondes"], status["p95_secondes"]

    assert told() == (None, None)
    desk.import_(records.record(1))
    portal.get("/recherche")
    index_pages(desk.shards)
    lag, p95 = told()
    assert lag == 0
    assert p95 is not None
    assert 0 < p95 < 10
    desk.import_(records.record(2))
    desk.execute("UPDATE page_changes SET changed_at = now() - interval '1 minute'")
    lag, _ = told()
    assert lag is not None
    assert 60 <= lag < 90


def test_work_that_would_wait_too_long_is_refused(database_url: str) -> None:
    connections = Connections(database_url, size=1)
    slow = PreparedStatement("slow", "SELECT pg_sleep(0.2)")

    async def flood() -> int:
        asked = [connections.run(slow) for _ in range(40)]
        done = await asyncio.gather(*asked, return_exceptions=True)
        return sum(isinstance(each, SlowDown) for each in done)

    assert asyncio.run(flood()) == 7
    connections.close()
