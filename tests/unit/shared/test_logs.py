"""Run in a process of its own: logging is configured once for the whole interpreter."""

import json
import subprocess
import sys
from typing import Any

PREAMBLE = """
import logging, structlog
from shared.logs import configure_logs
configure_logs("fetcher")
"""
ACTOR_THAT_FAILS = """
import dramatiq
from dramatiq.brokers.stub import StubBroker
broker = StubBroker(middleware=[])
def write(records):
    raise ValueError(f"cannot write {records}")
actor = dramatiq.actor(broker=broker, actor_name="write", queue_name="q")(write)
worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=10)
worker.start()
message = actor.send("MME DUPONT")
broker.join("q", fail_fast=False)
worker.join()
worker.stop()
"""


def events_of(script: str) -> tuple[list[dict[str, Any]], str]:
    output = subprocess.run(
        [sys.executable, "-c", PREAMBLE + script], capture_output=True, text=True, check=True
    )
    assert output.stderr == ""
    return [json.loads(line) for line in output.stdout.splitlines()], output.stdout


def test_each_event_is_one_json_line_and_secrets_are_not_in_it() -> None:
    (first, second), output = events_of("""
structlog.get_logger().info("connected", insee_key="hunter2", database_url="postgresql://hunter2@x")
logging.getLogger("urllib3").warning("closed: %s", "reason")
""")
    assert first["event"] == "connected"
    assert first["service"] == second["service"] == "fetcher"
    assert first["insee_key"] == first["database_url"] == "[redacted]"
    assert "hunter2" not in output
    assert (second["event"], second["level"]) == ("closed: reason", "warning")


def test_a_failing_actor_is_logged_without_its_message_and_without_its_error_text() -> None:
    (event,), output = events_of(ACTOR_THAT_FAILS)
    assert event["exception"] == "ValueError"
    assert event["at"][-1].endswith(" write")
    assert "write:" in event["event"]
    assert "DUPONT" not in output
