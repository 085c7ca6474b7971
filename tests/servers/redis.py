"""A private Redis: in memory only, on 127.0.0.1, with a port of its own."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deploy.local import processes
from tests.servers.programs import find_or_fetch_program


@dataclass(frozen=True)
class RunningRedis:
    pid: int
    port: int

    def ask(self, *words: str | bytes) -> bytes:
        """Send a command; return its value, or the line of its answer. Raises OSError."""
        parts = [word.encode() if isinstance(word, str) else word for word in words]
        sent = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
        with socket.create_connection(("127.0.0.1", self.port), 10) as server:
            server.sendall(b"*%d\r\n%b" % (len(parts), sent))
            answer = server.makefile("rb")
            return _value(answer)

    def names(self) -> list[bytes]:
        """Return the names of all that it keeps."""
        return self.ask("EVAL", "return table.concat(redis.call('KEYS', '*'), ' ')", "0").split()


def _value(answer: BinaryIO) -> bytes:
    line = answer.readline().strip()
    return answer.read(int(line[1:])) if line[:1] == b"$" and line != b"$-1" else line[1:]


@contextlib.contextmanager
def running_redis(folder: Path, *, port: int = 0) -> Iterator[RunningRedis]:
    """Run a server as long as the block. Raises LocalServerError where it does not start."""
    program, port = find_or_fetch_program("redis-server"), port or processes.free_port()
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
