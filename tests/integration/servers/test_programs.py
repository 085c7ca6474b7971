"""Programs of Debian's packages run from the folder into which they were unpacked."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local import processes
from tests.benchmarks.portal.load import load
from tests.local_server import served
from tests.servers.redis import running_redis

pytestmark = pytest.mark.slow


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        known = self.path == "/known" and self.headers["If-None-Match"] == '"1"'
        self.send_response(304 if known else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_wrk_counts_answers_and_those_that_refuse(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    with served(server):
        address = f"http://127.0.0.1:{server.server_port}"
        told = load(
            address,
            ["/known", "/unknown"],
            tmp_path,
            seconds=1,
            connections=2,
            headers=[{"If-None-Match": '"1"'}, {}],
        )
    assert told.broken == 0
    assert told.requests > 2
    assert told.refused == pytest.approx(told.requests / 2, abs=2)
    assert 0 < told.p50_ms <= told.p95_ms <= told.p99_ms


def test_redis_runs_as_long_as_it_is_needed(tmp_path: Path) -> None:
    with running_redis(tmp_path) as redis:
        assert processes.is_alive(redis.pid)
    assert not processes.is_alive(redis.pid)
