"""A private Redis for benchmarks: in memory only, on 127.0.0.1, with a port of its own."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local import processes
from tests.servers.programs import find_or_fetch_program


@dataclass(frozen=True)
class RunningRedis:
    pid: int
    port: int


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[RunningRedis]:
    """Run a server as long as the block. Raises LocalServerError where it does not start."""
    program, port = find_or_fetch_program("redis-server"), processes.free_port()
    command = [str(program.path), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    log = folder / "redis.log"
    with processes.child(
        [*command, "--dir", str(folder)],
        lambda: _answers(port),
        f"redis-server does not start: see {log}",
        log=log,
        env=dict(program.environment),
    ) as (pid, _):
        yield RunningRedis(pid, port)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as server:
        server.sendall(b"PING\r\n")
        return server.recv(7) == b"+PONG\r\n"
    return False
