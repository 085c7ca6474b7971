"""Writers that stop where a test wants it, and a process that can be killed there."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, text

from shared.messages import WriteSlice
from tests.integration.writer.desk import Desk

_GATE = 42
_WRITE = """
import json, sys
from services.writer.store import write_slice
from shared.db.engine import make_engine
from shared.messages import WriteSlice
shards = [make_engine(url, application_name="victim") for url in sys.argv[1:]]
for message in json.load(sys.stdin):
    write_slice(shards[0], WriteSlice(**message), sole_traders=False, shards=shards)
"""


def put_gate(desk: Desk, when: str) -> None:
    """Let each statement with this event wait while the gate is held: `BEFORE INSERT ON avis`."""
    desk.execute(f"""
        CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared({_GATE}); RETURN NEW; END $$
    """)
    desk.execute(f"CREATE {when} FOR EACH ROW EXECUTE FUNCTION wait_at_gate()")


def put_gate_before_commit(desk: Desk) -> None:
    """Stop a slice when everything is written and nothing is visible."""
    put_gate(
        desk,
        "CONSTRAINT TRIGGER gate AFTER UPDATE ON import_batches DEFERRABLE INITIALLY DEFERRED",
    )


@contextmanager
def held_gate(desk: Desk) -> Iterator[None]:
    with ExitStack() as stack:
        for shard in desk.shards:
            connection = stack.enter_context(shard.connect())
            connection.execute(text(f"SELECT pg_advisory_lock({_GATE})"))
            connection.commit()
            stack.callback(_open_gate, connection)
        yield


def _open_gate(connection: Connection) -> None:
    connection.execute(text(f"SELECT pg_advisory_unlock({_GATE})"))
    connection.commit()


def waiting(desk: Desk, application: str = "%") -> int:
    """Count the backends that wait for a lock of any kind."""
    row = desk.one(
        """
        SELECT count(*) AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
          AND application_name LIKE :application
        """,
        application=application,
    )
    return int(row["n"])


def start_victim(
    shard_urls: Sequence[str], messages: Sequence[WriteSlice]
) -> "subprocess.Popen[bytes]":
    """Start a process that writes these slices, one after the other."""
    victim = subprocess.Popen(
        [sys.executable, "-c", _WRITE, *shard_urls],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},  # noqa: PTH109  where pytest runs
    )
    assert victim.stdin is not None
    victim.stdin.write(json.dumps([message.to_wire() for message in messages]).encode())
    victim.stdin.close()
    return victim


def victims(desk: Desk) -> int:
    """Count the connections that the server still holds for these processes."""
    row = desk.one("SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'victim'")
    return int(row["n"])
