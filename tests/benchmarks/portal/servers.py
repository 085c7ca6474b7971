"""A server of pages from Redis, which the benchmarks of pages compare with the portal."""

import contextlib
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local import processes
from deploy.local.folders import PROJECT
from tests.environments import python_of
from tests.portals import Server
from tests.servers.redis import running_redis


@dataclass(frozen=True)
class Answer:
    status: int
    etag: str
    body: str


def ask(address: str, path: str) -> Answer:
    """Ask for a path with a connection of its own."""
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as answer:  # noqa: S310  our own server
            return Answer(
                answer.status, answer.headers.get("ETag", ""), answer.read().decode("utf-8")
            )
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, "", error.read().decode("utf-8", "replace"))


@contextlib.contextmanager
def pages_from_redis(pages: Mapping[str, Answer], folder: Path) -> Iterator[Server]:
    """Serve these answers by their paths, from Redis with an hour's TTL, in the portal's frame."""
    file = folder / "pages.json"
    file.write_text(
        json.dumps({path: [page.etag, page.body] for path, page in pages.items()}), "utf-8"
    )
    port, first = processes.free_port(), next(iter(pages))
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(port)]
    [packages] = python_of("redis").parents[1].glob("lib/python*/site-packages")
    log = folder / "redis_side.log"
    with (
        running_redis(folder) as redis,
        processes.child(
            [*command, "--no-access-log", "--log-level", "warning", f"{_SIDE}:app"],
            lambda: _is_answered(address, first),
            f"pages from Redis are not served: see {log}",
            log=log,
            env={
                **os.environ,
                "PYTHONPATH": str(packages),
                "REDIS_PORT": str(redis.port),
                "REDIS_PAGES": str(file),
            },
            cwd=str(PROJECT),
        ) as (pid, _),
    ):
        yield Server(address, pid, (redis.pid,))


_SIDE = "tests.benchmarks.portal.redis_side"


def _is_answered(address: str, path: str) -> bool:
    with contextlib.suppress(OSError):
        return ask(address, path).status == 200
    return False
