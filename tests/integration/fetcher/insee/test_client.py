"""The client against a server of raw bytes, which misbehaves as no simulator does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from services.fetcher.insee import answers
from services.fetcher.insee import client as insee_client
from services.fetcher.insee.answers import KeyRefused, NoGoodAnswer, QueryRefused
from services.fetcher.insee.client import InseeClient
from services.fetcher.plan.deltas import Freshness

PAGE = b'{"header":{"statut":200,"total":1,"curseurSuivant":"b"},"etablissements":[%s]}'
Answer = Callable[[socket.socket], None]


class RawServer:
    """Answers each connection with the bytes of a function; counts the requests."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            with connection:
                self.requests.append(connection.recv(65536))
                try:
                    self._answer(connection)
                except OSError:
                    continue  # the client has closed

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], RawServer]]:
    servers: list[RawServer] = []

    def start(answer: Answer) -> RawServer:
        servers.append(RawServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def response(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def search(server: RawServer, *, timeout_seconds: float = 5) -> answers.PageAnswer:
    client = InseeClient(server.url, "the-key", timeout_seconds=timeout_seconds, pool_size=1)
    return client.search_siret("siren:1", nombre=1, curseur="*")


def test_a_redirect_is_not_followed_and_takes_no_second_request(
    serve: Callable[[Answer], RawServer],
) -> None:
    server = serve(lambda to: to.sendall(response("302 Found", b"", "Location: /elsewhere")))
    with pytest.raises(QueryRefused):
        search(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", [b"http://[", b"\xff\xe9", b"//", b"http://\0/", b""])
def test_a_redirect_that_leads_nowhere_is_a_refusal_as_any_other(
    target: bytes, serve: Callable[[Answer], RawServer]
) -> None:
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target
    with pytest.raises(QueryRefused):
        search(serve(lambda to: to.sendall(head + b"\r\n\r\n")))


def test_a_connection_cut_before_the_answer_is_not_tried_again(
    serve: Callable[[Answer], RawServer],
) -> None:
    server = serve(lambda _to: None)
    with pytest.raises(NoGoodAnswer):
        search(server)
    assert len(server.requests) == 1


def test_a_body_that_never_ends_is_given_up(
    serve: Callable[[Answer], RawServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insee_client, "MAX_BODY_BYTES", 1_000_000)

    def endless(to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(1000):
            to.sendall(b"x" * 65536)

    with pytest.raises(NoGoodAnswer, match="exceeds"):
        search(serve(endless))


@pytest.mark.parametrize(
    ("header", "piece"),
    [(b"Transfer-Encoding: chunked", b"1\r\n \r\n"), (b"Content-Length: 100000", b" ")],
    ids=["chunked", "with a length"],
)
def test_a_body_that_trickles_is_given_up_after_the_time_for_all_of_it(
    header: bytes, piece: bytes, serve: Callable[[Answer], RawServer]
) -> None:
    """Send each byte well before the timeout of one read: only the sum is too long."""

    def trickle(to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\n")
        for _ in range(100):
            to.sendall(piece)
            time.sleep(0.1)  # the pace of the bytes is what is tested

    started_seconds = time.monotonic()
    with pytest.raises(NoGoodAnswer, match="too long"):
        search(serve(trickle), timeout_seconds=1)
    assert time.monotonic() - started_seconds < 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>Maintenance</html>",
        b'{"etablissements":[]}',
        b'{"header":{"total":"1"},"etablissements":[]}',
        b'{"header":{"total":-1},"etablissements":[]}',
        b'{"header":{"total":1},"etablissements":{}}',
        b'{"header":{"total":1,"curseurSuivant":3},"etablissements":[]}',
        b'{"header":{"total":1,"curseurSuivant":"a\\u0000"},"etablissements":[]}',
        b'{"header":{"total":1,"curseurSuivant":"%b"},"etablissements":[]}' % (b"a" * 2000),
        b'{"header":{"total":9223372036854775808},"etablissements":[]}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
    ids=lambda body: str(body[:40]),
)
def test_a_body_that_is_no_page_is_malformed(
    body: bytes, serve: Callable[[Answer], RawServer]
) -> None:
    with pytest.raises(NoGoodAnswer) as caught:
        search(serve(lambda to: to.sendall(response("200 OK", body))))
    assert caught.value.outcome == "malformed"


@pytest.mark.parametrize("name", [b'"\\ud800"', b'"\xff"'], ids=["surrogate", "not utf-8"])
def test_one_bad_character_does_not_cost_the_page(
    name: bytes, serve: Callable[[Answer], RawServer]
) -> None:
    body = PAGE % (b'{"siret":"1","nom":%s}' % name)
    answer = search(serve(lambda to: to.sendall(response("200 OK", body))))
    assert [record["siret"] for record in answer.records] == ["1"]


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refused_key_is_not_in_what_is_said_about_it(
    status: str, serve: Callable[[Answer], RawServer]
) -> None:
    with pytest.raises(KeyRefused) as caught:
        search(serve(lambda to: to.sendall(response(status, b'{"message":"the-key"}'))))
    assert "the-key" not in str(caught.value)
    assert str(caught.value).endswith("SIRENADE_INSEE_KEY")


_INFORMATIONS = (
    Path(__file__).parents[3] / "fixtures" / "insee" / "informations_2026-08-05.json"
).read_text("utf-8")


def ask_informations(body: str) -> answers.Informations:
    server = RawServer(lambda to: to.sendall(response("200 OK", body.encode())))
    client = InseeClient(server.url, "the-key", timeout_seconds=5, pool_size=1)
    try:
        return client.informations()
    finally:
        server.close()


def test_informations_say_how_far_each_collection_goes_in_insees_own_time() -> None:
    found = ask_informations(_INFORMATIONS)
    assert found.collections == {
        "etablissements": Freshness(
            True,
            datetime.fromisoformat("2026-08-05T00:05:52.648"),
            datetime.fromisoformat("2026-08-05T07:20:43.000"),
        ),
        "unites_legales": Freshness(
            True,
            datetime.fromisoformat("2026-08-05T00:05:54.033"),
            datetime.fromisoformat("2026-08-05T07:20:41.000"),
        ),
    }


@pytest.mark.parametrize(
    ("documented", "sent"),
    [
        ('"dateDernierTraitementMaximum"', '"dateDuDernierTraitement"'),
        ('"2026-08-05T00:05:52.648"', "null"),
        ('"2026-08-05T00:05:52.648"', '"hier"'),
        ('"2026-08-05T00:05:52.648"', '"2996-08-05T00:05:52.648"'),
        ('"collection": "Établissements"', '"collection": "Etablissements"'),
        ('"etatsDesServices": [', '"etatsDesServices": [7, '),
        (_INFORMATIONS, "[]"),
        (_INFORMATIONS, "null"),
        (_INFORMATIONS, "<html>"),
    ],
)
def test_informations_that_are_not_as_documented_are_no_good_answer(
    documented: str, sent: str
) -> None:
    assert documented in _INFORMATIONS
    with pytest.raises(NoGoodAnswer) as caught:
        ask_informations(_INFORMATIONS.replace(documented, sent))
    assert caught.value.outcome == "malformed"
