"""The server is asked within bounds, and told who asks; what it answers is never quoted."""

import base64
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.portal.elasticsearch.server import (
    WORK_BOUNDS,
    ElasticsearchAway,
    ElasticsearchRefusal,
    ElasticsearchServer,
)
from services.portal.settings import SearchSettings
from shared.http.client import Bounds
from tests.certificates import Authority
from tests.raw_server import HEAD, raw_server

_DATABASE = "postgresql://localhost/none"


def _server(url: str, bounds: Bounds = WORK_BOUNDS, **more: Any) -> ElasticsearchServer:
    named = {"database_url": _DATABASE, "elasticsearch_url": url, **more}
    return ElasticsearchServer(SearchSettings.model_validate(named), bounds)


def _answering(status: str, body: bytes = b"{}") -> bytes:
    length = f"Content-Length: {len(body)}\r\n\r\n".encode()
    return f"HTTP/1.1 {status}\r\n".encode() + length + body


KEYS: list[tuple[dict[str, Any], bytes | None]] = [
    ({"elasticsearch_user": "u", "elasticsearch_password": "p:é"}, b"Basic dTpwOsOp"),
    ({"elasticsearch_api_key": "a2V5"}, b"ApiKey a2V5"),
    ({}, None),
]


@pytest.mark.parametrize(("named", "sent"), KEYS)
def test_it_is_told_who_asks(named: dict[str, Any], sent: bytes | None) -> None:
    with raw_server(lambda connection: connection.sendall(_answering("200 OK"))) as raw:
        _server(raw.url, **named).ask("GET", "/")
    told = [line for line in raw.requests[0].split(b"\r\n") if line.startswith(b"Authorization")]
    assert told == ([] if sent is None else [b"Authorization: " + sent])
    assert base64.b64decode("dTpwOsOp").decode() == "u:p:é"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401 Unauthorized", ElasticsearchRefusal),
        ("403 Forbidden", ElasticsearchRefusal),
        ("400 Bad Request", ElasticsearchRefusal),
        ("302 Found", ElasticsearchRefusal),
        ("429 Too Many Requests", ElasticsearchAway),
        ("503 Service Unavailable", ElasticsearchAway),
    ],
)
def test_a_status_tells_whether_to_wait_or_to_mend(status: str, kind: type[Exception]) -> None:
    answer = _answering(status, b'{"error": "secret dupont"}')
    with (
        raw_server(lambda connection: connection.sendall(answer)) as raw,
        pytest.raises(kind) as told,
    ):
        _server(raw.url).ask("GET", "/")
    assert "dupont" not in str(told.value)


def test_an_answer_that_trickles_ends_with_the_exchange() -> None:
    def trickle(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 99\r\n\r\n")
        for _ in range(40):
            connection.sendall(b" ")
            time.sleep(0.1)

    began = time.monotonic()
    with raw_server(trickle) as raw, pytest.raises(ElasticsearchAway, match="TooLate"):
        _server(raw.url, Bounds(seconds=0.5, body_bytes=1000)).ask("GET", "/")
    assert time.monotonic() - began < 3


def test_an_answer_without_end_is_not_read() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"\r\n" + b"x" * 5_000_000)

    with raw_server(flood) as raw, pytest.raises(ElasticsearchAway, match="TooLong"):
        _server(raw.url, Bounds(seconds=5, body_bytes=1000)).ask("GET", "/")


def test_its_certificate_is_looked_at(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(issued.certificate, issued.key)
    named: dict[str, Any] = {"elasticsearch_user": "u", "elasticsearch_password": "p"}
    answer = _answering("200 OK", b'{"tagline": "yes"}')
    with raw_server(lambda connection: connection.sendall(answer), tls) as raw:
        with pytest.raises(ElasticsearchAway, match="Untrusted"):
            _server(raw.url, **named).ask("GET", "/")
        trusted = _server(raw.url, https_ca_file=authority.file, **named)
        assert trusted.ask("GET", "/").json == {"tagline": "yes"}


REFUSED = [
    {"elasticsearch_url": "http://search.example.org:9200"},
    {"elasticsearch_url": "https://u:p@search.example.org"},
    {"elasticsearch_url": "ftp://search"},
    {"search_engine": "elasticsearch"},
    {"elasticsearch_user": "u"},
    {"elasticsearch_user": "u", "elasticsearch_password": "p", "elasticsearch_api_key": "k"},
    {"elasticsearch_index": "Sirenade*"},
]


@pytest.mark.parametrize("named", REFUSED)
def test_settings_that_cannot_be_are_refused(named: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SearchSettings.model_validate({"database_url": _DATABASE, **named})


def test_the_engine_is_postgresql_unless_somebody_says_otherwise() -> None:
    assert SearchSettings.model_validate({"database_url": _DATABASE}).search_engine == "postgresql"
