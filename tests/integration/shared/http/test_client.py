"""The client against servers that do all that a server should not do."""

import io
import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.errors import UserError
from shared.http.client import Bounds, HttpClient
from shared.http.egress import Egress, Redirects
from shared.http.errors import (
    Broken,
    Forbidden,
    HttpError,
    TooLate,
    TooLong,
    Unreachable,
    Unsendable,
    Untrusted,
)
from tests.raw_server import (
    BROKEN,
    LATE,
    LONG,
    Answer,
    RawServer,
    bomb,
    make_certificate,
    raw_server,
    response,
    saying,
)

Serve = Callable[[Answer], RawServer]

_KEY = "b3a5c1d2-0000-4444-8888-123456789abc"
_MIB = 1 << 20
_BOUNDS = Bounds(seconds=1, body_bytes=_MIB)
_PATIENT = Bounds(seconds=30, body_bytes=_MIB)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(raw_server(answer))


@pytest.mark.parametrize("fault", LATE)
def test_an_answer_that_does_not_end_is_given_up_at_the_deadline(serve: Serve, fault: str) -> None:
    client = HttpClient(_BOUNDS)
    started_seconds = time.monotonic()
    with pytest.raises(TooLate) as caught:
        client.ask("GET", serve(LATE[fault]).url)
    assert time.monotonic() - started_seconds < 3
    assert caught.value.sent


def test_a_server_that_takes_the_request_slowly_is_given_up(serve: Serve) -> None:
    server = serve(lambda _to: time.sleep(30))
    started_seconds = time.monotonic()
    with pytest.raises(TooLate):
        HttpClient(_BOUNDS).ask("POST", server.url, data=io.BytesIO(bytes(64 * _MIB)))
    assert time.monotonic() - started_seconds < 3


@pytest.mark.parametrize("fault", LONG)
def test_an_answer_of_more_bytes_than_its_bound_is_given_up(serve: Serve, fault: str) -> None:
    url = serve(LONG[fault]).url
    client = HttpClient(_PATIENT)
    tracemalloc.start()
    try:
        with pytest.raises(TooLong):
            client.ask("GET", url)
        assert tracemalloc.get_traced_memory()[1] < 16 * _MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_no_whole_answer_is_broken(serve: Serve, fault: str) -> None:
    server = serve(BROKEN[fault])
    with pytest.raises(Broken):
        HttpClient(_PATIENT).ask("GET", server.url)
    assert len(server.requests) == 1


def test_a_packed_answer_within_the_bound_is_read(serve: Serve) -> None:
    assert HttpClient(_BOUNDS).ask("GET", serve(saying(bomb(_MIB))).url).body == bytes(_MIB)


def test_a_connection_serves_one_exchange_after_the_other(serve: Serve) -> None:
    """The deadline of the first is not that of the second."""

    def twice(to: socket.socket) -> None:
        for _ in range(2):
            to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            to.recv(65536)

    server, client = serve(twice), HttpClient(_BOUNDS)
    assert client.ask("GET", server.url).body == b"ok"
    time.sleep(1.1)  # the first deadline passes
    assert client.ask("GET", server.url).body == b"ok"
    assert len(server.requests) == 1, "both came over one connection"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid", "http://a..b/"])
def test_what_cannot_be_reached_was_not_sent(url: str) -> None:
    with pytest.raises(HttpError) as caught:
        HttpClient(_BOUNDS).ask("GET", url)
    assert isinstance(caught.value, Unreachable | Unsendable)
    assert not caught.value.sent


@pytest.mark.parametrize("url", ["http://[::1", "http://", "nothing", "ftp://127.0.0.1/", ""])
def test_an_address_that_cannot_be_read_is_said_so(url: str) -> None:
    with pytest.raises(Unsendable):
        HttpClient(_BOUNDS).ask("GET", url)


@pytest.mark.parametrize("key", ["clé\u2026", "a\nb: c", "\ud800"])
def test_a_key_that_no_header_can_hold_is_said_so(serve: Serve, key: str) -> None:
    server = serve(saying(response("200 OK", b"")))
    with pytest.raises(Unsendable):
        HttpClient(_BOUNDS, secret_headers={"X-Key": key}).ask("GET", server.url)
    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://api.example.org/", {"X-Key": _KEY}),
        ("http://user:password@8.8.8.8/", {}),
        ("http://[2606:4700::1111]/", {"Authorization": f"Bearer {_KEY}"}),
    ],
)
def test_a_secret_goes_over_https_only(url: str, headers: dict[str, str]) -> None:
    with pytest.raises(Unsendable, match="https only"):
        HttpClient(_BOUNDS, secret_headers=headers).ask("GET", url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(serve: Serve, status: int) -> None:
    target = serve(saying(response("200 OK", b"")))
    server = serve(saying(response(f"{status} Moved", b"x", f"Location: {target.url}")))
    client = HttpClient(_BOUNDS, secret_headers={"X-Key": _KEY})
    assert client.ask("GET", server.url).status == status
    assert (len(server.requests), target.requests) == (1, [])


def test_a_redirect_within_one_server_is_followed_where_that_is_allowed(serve: Serve) -> None:
    answers = [response("302 Found", b"", "Location: /new"), response("200 OK", b"file")]
    server = serve(lambda to: to.sendall(answers.pop(0)))
    client = HttpClient(_BOUNDS, egress=Egress(redirects=Redirects(())))
    stream = client.open("GET", f"{server.url}/old")
    assert (stream.read(), stream.url) == (b"file", f"{server.url}/new")
    stream.close()


def test_redirects_have_an_end(serve: Serve) -> None:
    server = serve(saying(response("302 Found", b"", "Location: /again")))
    with pytest.raises(Broken, match="too many redirects"):
        HttpClient(_BOUNDS, egress=Egress(redirects=Redirects((), most=3))).open("GET", server.url)
    assert len(server.requests) == 4


def test_an_allowed_name_with_a_private_address_is_not_asked(serve: Serve) -> None:
    """`localhost` stands for a public name that leads into a private network."""
    inside = serve(saying(response("200 OK", b"secret")))
    location = inside.url.replace("127.0.0.1", "localhost")
    server = serve(saying(response("302 Found", b"", f"Location: {location}")))
    client = HttpClient(_BOUNDS, egress=Egress(redirects=Redirects(("localhost",))))
    with pytest.raises(Forbidden, match="no public address"):
        client.open("GET", server.url)
    assert inside.requests == []


def test_neither_proxies_nor_passwords_of_the_environment_count(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy, server = serve(saying(b"")), serve(saying(response("200 OK", b"direct")))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert HttpClient(_BOUNDS).ask("GET", server.url).body == b"direct"
    assert b"uthorization" not in server.requests[0]
    assert proxy.requests == []


def test_a_proxy_of_the_settings_is_used_but_not_for_what_is_near(serve: Serve) -> None:
    proxy = serve(saying(response("200 OK", b"by proxy")))
    server = serve(saying(response("200 OK", b"direct")))
    client = HttpClient(_BOUNDS, egress=Egress(proxy_url=proxy.url))
    assert client.ask("GET", "http://example.org/x").body == b"by proxy"
    assert proxy.requests[0].startswith(b"GET http://example.org/x HTTP/1.1\r\n")
    assert client.ask("GET", server.url).body == b"direct"


def test_a_proxy_that_never_opens_the_tunnel_is_given_up(serve: Serve) -> None:
    proxy = serve(LATE["headers by the line"])
    client = HttpClient(_BOUNDS, egress=Egress(proxy_url=proxy.url))
    started_seconds = time.monotonic()
    with pytest.raises(HttpError):
        client.ask("GET", "https://example.org/")
    assert time.monotonic() - started_seconds < 3
    assert proxy.requests[0].startswith(b"CONNECT example.org:443")


def test_https_needs_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    ca_file, context = make_certificate(tmp_path)
    with raw_server(saying(response("200 OK", b"safe")), context) as server:
        with pytest.raises(Untrusted) as caught:
            HttpClient(_PATIENT).ask("GET", server.url)
        assert not caught.value.sent
        trusting = HttpClient(_PATIENT, egress=Egress(https_ca_file=ca_file))
        assert trusting.ask("GET", server.url).body == b"safe"
        with pytest.raises(Untrusted):
            trusting.ask("GET", server.url.replace("127.0.0.1", "localhost"))


@pytest.mark.parametrize("fault", ["silence", "headers by the byte", "body by the chunk"])
def test_the_deadline_holds_over_https_too(tmp_path: Path, fault: str) -> None:
    ca_file, context = make_certificate(tmp_path)
    with raw_server(LATE[fault], context) as server:
        started_seconds = time.monotonic()
        with pytest.raises(TooLate):
            HttpClient(_BOUNDS, egress=Egress(https_ca_file=ca_file)).ask("GET", server.url)
        assert time.monotonic() - started_seconds < 3


def test_a_handshake_that_never_ends_is_given_up(serve: Serve) -> None:
    url = serve(LATE["silence"]).url.replace("http:", "https:")
    started_seconds = time.monotonic()
    with pytest.raises(Unreachable):
        HttpClient(_BOUNDS).ask("GET", url)
    assert time.monotonic() - started_seconds < 3


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("empty.pem", "none.pem"):
        with pytest.raises(UserError, match=name):
            HttpClient(_BOUNDS, egress=Egress(https_ca_file=tmp_path / name))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"the key {_KEY} is unknown", "the key [redacted] is unknown"),
        (f"{_KEY[:12]}… is unknown", "[redacted]… is unknown"),
        (f"{_KEY.upper()}{_KEY}", "[redacted]"),
        ("the key is unknown", "the key is unknown"),
    ],
)
def test_what_a_server_says_loses_the_key(said: str, kept: str) -> None:
    assert HttpClient(_BOUNDS, secret_headers={"X-Key": _KEY}).redacted(said) == kept
