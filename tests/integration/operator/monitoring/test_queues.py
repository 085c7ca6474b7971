"""The broker's password goes to its management API, and to nobody else."""

import base64
from pathlib import Path

import pytest

from services.operator.monitoring import queues
from services.operator.monitoring.queues import Queue, QueueReader, Queues
from services.operator.settings import MonitorSettings
from shared.errors import UserError
from shared.http.egress import Egress
from shared.messages import FETCH_QUEUE
from shared.settings import load
from tests.raw_server import BROKEN, LATE, LONG, make_certificate, raw_server, response, saying

_BASIC = base64.b64encode(b"user:p@ss")
_ROWS = f'[{{"name":"{FETCH_QUEUE}","messages_ready":2,"messages_unacknowledged":1}}]'.encode()


def test_amqps_asks_the_management_api_over_https(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ca_file, context = make_certificate(tmp_path)
    with raw_server(saying(response("200 OK", _ROWS)), context) as server:
        port = int(server.url.rpartition(":")[2])
        monkeypatch.setattr(queues, "_MANAGEMENT_PORTS", {"https": port})
        broker_url, egress = "amqps://user:p%40ss@127.0.0.1:1/", Egress(https_ca_file=ca_file)
        assert QueueReader(broker_url, "", egress).read() == Queues(
            (Queue(FETCH_QUEUE, ready=2, in_progress=1, delayed=0, dead=0, consumers=0),)
        )
        assert b"Authorization: Basic " + _BASIC in server.requests[0]
        assert QueueReader(broker_url, "", Egress()).read().note is not None
        assert len(server.requests) == 1, "a server that is not trusted learns no password"


def test_a_redirect_takes_the_password_nowhere() -> None:
    with raw_server(saying(response("200 OK", _ROWS))) as other:
        redirect = response("302 Found", b"", f"Location: {other.url}")
        with raw_server(saying(redirect)) as server:
            found = QueueReader("amqp://user:p%40ss@127.0.0.1:1/", server.url, Egress()).read()
        assert found.note is not None
        assert other.requests == []


@pytest.mark.parametrize(
    "fault", ["headers by the byte", "body by the byte", "gzip bomb", "cut body"]
)
def test_a_hostile_management_api_is_one_that_does_not_answer(fault: str) -> None:
    with raw_server((LATE | LONG | BROKEN)[fault]) as server:
        found = QueueReader("amqp://user:p%40ss@127.0.0.1:1/", server.url, Egress()).read()
    assert found.queues == ()


@pytest.mark.parametrize("body", [b"null", b"[1]", b'{"error":"no"}', b"<html>"])
def test_what_is_no_list_of_queues_is_no_answer(body: bytes) -> None:
    with raw_server(saying(response("200 OK", body))) as server:
        assert QueueReader("amqp://127.0.0.1:1/", server.url, Egress()).read().queues == ()


def test_a_password_that_is_encrypted_for_the_broker_is_not_sent_in_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", "postgresql://x@localhost/x")
    monkeypatch.setenv("SIRENADE_BROKER_URL", "amqps://user:p@rabbitmq/")
    monkeypatch.setenv("SIRENADE_MONITOR_RABBITMQ_URL", "http://rabbitmq:15672")
    with pytest.raises(UserError, match="must be https"):
        load(MonitorSettings)
