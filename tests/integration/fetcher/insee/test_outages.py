"""Since when INSEE gives no good answer, and why: what the alerts on it are made of."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from services.fetcher.insee.answers import InseeError
from services.fetcher.insee.client import InseeClient
from services.fetcher.insee.ledger import Sender
from services.fetcher.insee.quota import Quota
from shared.clock import Clock
from shared.metrics import Metrics
from shared.metrics.register import FAILURES
from tests.raw_server import raw_server

_PAGE = b'{"header":{"total":0,"curseurSuivant":"*"},"etablissements":[]}'


@dataclass
class Outage:
    """INSEE, which answers with this status; 0: the connection hangs."""

    status: int = 200

    def answer(self, connection: socket.socket) -> None:
        if self.status == 0:
            connection.recv(1)
            return
        body = _PAGE if self.status == 200 else b"{}"
        head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)


@pytest.fixture
def insee() -> Iterator[tuple[Outage, str]]:
    outage = Outage()
    with raw_server(outage.answer) as server:
        yield outage, server.url


def sender_to(engine: Engine, url: str) -> Sender:
    clock, metrics = Clock(), Metrics()
    quota = Quota(engine, "key", clock, metrics)
    quota.open(requests_per_minute=6000, requests_per_hour=None)
    client = InseeClient(url, "key", timeout_seconds=0.3, pool_size=1)
    return Sender(client, quota, engine, metrics)


def count(sender: Sender) -> None:
    slot = sender.quota.take(patience_seconds=5)
    sender.send(slot, lambda insee: insee.search_siret("siren:*", nombre=0))


def failing(sender: Sender) -> dict[str, float]:
    """Return the failures that have begun, with their time."""
    children = sender.metrics.insee_failing
    found = {each: children.labels(outcome=each)._value.get() for each in FAILURES}
    return {outcome: since for outcome, since in found.items() if since}


def fails(act: Callable[[], None]) -> None:
    with pytest.raises(InseeError):
        act()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, "refused"), (403, "refused"), (503, "unavailable"), (0, "no_answer")],
)
def test_an_outage_lasts_from_its_first_bad_answer_to_the_next_good_one(
    status: int, outcome: str, engine: Engine, insee: tuple[Outage, str]
) -> None:
    outage, url = insee
    sender = sender_to(engine, url)
    count(sender)
    assert failing(sender) == {}
    outage.status = status
    fails(lambda: count(sender))
    first = failing(sender)
    assert first.keys() == {outcome}
    assert 0 <= time.time() - first[outcome] < 5
    fails(lambda: count(sender))
    assert failing(sender) == first
    # Another failure is still the same outage.
    outage.status = 401 if outcome != "refused" else 503
    fails(lambda: count(sender))
    assert list(failing(sender).values()) == list(first.values())
    outage.status = 200
    count(sender)
    assert failing(sender) == {}


@pytest.mark.parametrize("status", [429, 400])
def test_an_insee_that_is_there_and_answers_otherwise_is_no_outage(
    status: int, engine: Engine, insee: tuple[Outage, str]
) -> None:
    outage, url = insee
    sender = sender_to(engine, url)
    outage.status = status
    fails(lambda: count(sender))
    assert failing(sender) == {}


def test_a_connection_that_is_refused_is_an_outage(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    sender = sender_to(engine, f"http://127.0.0.1:{port}")
    fails(lambda: count(sender))
    assert failing(sender).keys() == {"no_answer"}
