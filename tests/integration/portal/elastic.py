"""An Elasticsearch for tests: two emulators, and a real server where somebody names one."""

import http.client
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine

from services.portal.elasticsearch.indexes import ShardIndexes
from services.portal.elasticsearch.server import WORK_BOUNDS, ElasticsearchServer
from services.portal.index.elasticsearch.follower import Follower
from services.portal.settings import SearchSettings
from shared.clock import Clock
from shared.metrics import Metrics
from tests.local_server import served
from tests.servers.elasticsearch import EMULATORS

REAL = "SIRENADE_TEST_ELASTICSEARCH_URL"
SERVERS = (*EMULATORS, "real")


class Elastic(NamedTuple):
    """A server, and settings by which this test has it for itself."""

    url: str
    named: dict[str, str]

    def settings(self, database_url: str, **more: Any) -> SearchSettings:
        return SearchSettings.model_validate({"database_url": database_url, **self.named, **more})

    def indexes(self, database_url: str, shard: int = 0, **more: Any) -> ShardIndexes:
        settings = self.settings(database_url, **more)
        server = ElasticsearchServer(settings, WORK_BOUNDS)
        return ShardIndexes(server, settings.elasticsearch_index, shard)

    def follower(self, engine: Engine, shard: int = 0, **more: Any) -> Follower:
        url = engine.url.render_as_string(hide_password=False)
        return Follower(engine, self.indexes(url, shard, **more), Clock(), Metrics())


def elastic_at(url: str) -> Elastic:
    """Return the server at an address, which may hold a user and a password."""
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    login = {"elasticsearch_user": parts.username, "elasticsearch_password": parts.password}
    named = {
        "search_engine": "elasticsearch",
        "elasticsearch_url": bare,
        "elasticsearch_index": f"test{secrets.token_hex(5)}",
        **{name: value for name, value in login.items() if value},
    }
    if ca_file := os.environ.get("SIRENADE_TEST_ELASTICSEARCH_CA_FILE"):
        named["https_ca_file"] = ca_file
    return Elastic(bare, named)


def real_url() -> str:
    url = os.environ.get(REAL)
    if not url:
        pytest.skip(f"{REAL} names no server")
    return url


class Fault(NamedTuple):
    """A fault of the middleman, for requests of a kind, `times` times.

    It answers in place of the server, or puts the status in place of that of the first items.
    """

    path: str
    status: int
    items: int = 0
    times: int = 1


class Middleman:
    """Hands requests on to a server, and spoils some of the answers."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    def fault_for(self, path: str) -> Fault | None:
        for at, fault in enumerate(self.faults):
            if fault.path in path:
                left = fault._replace(times=fault.times - 1)
                self.faults[at : at + 1] = [left] if left.times else []
                return fault
        return None

    def bodies(self, path: str) -> list[bytes]:
        return [body for _, seen, body in self.seen if path in seen]


@contextmanager
def middleman(upstream: str) -> Iterator[Middleman]:
    between = Middleman(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            between.seen.append((self.command, self.path, body))
            between.headers.append(dict(self.headers))
            fault = between.fault_for(self.path)
            if fault is not None and not fault.items:
                self._answer(fault.status, b"{}")
                return
            status, answer = self._ask(body)
            self._answer(status, _spoiled(answer, fault) if fault else answer)

        def __getattr__(self, name: str) -> Callable[[], None]:
            # The base class calls do_GET, do_POST and so on.
            if name.startswith("do_"):
                return self.do
            raise AttributeError(name)

        def _ask(self, body: bytes) -> tuple[int, bytes]:
            client = http.client.HTTPConnection(between.upstream, timeout=30)
            kind = self.headers.get("Content-Type")
            headers = {"Content-Type": kind} if kind else {}
            client.request(self.command, self.path, body=body or None, headers=headers)
            answer = client.getresponse()
            found = answer.status, answer.read()
            client.close()
            return found

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    between.url = f"http://127.0.0.1:{server.server_port}"
    with served(server):
        yield between


def _spoiled(answer: bytes, fault: Fault) -> bytes:
    found = json.loads(answer)
    for item in found["items"][: fault.items]:
        [told] = item.values()
        told.update(status=fault.status, error={"type": "es_rejected_execution_exception"})
    return json.dumps(found).encode()


def found_ids(indexes: ShardIndexes, field: str, word: str) -> Sequence[int]:
    """Return the pages that a word finds in the index itself, whatever PostgreSQL says of them."""
    indexes.refresh(indexes.served)
    body = {"query": {"term": {field: {"value": word}}}, "size": 100}
    hits = indexes.server.ask("POST", f"/{indexes.served}/_search", body).json["hits"]["hits"]
    return sorted(int(hit["_id"]) for hit in hits)
