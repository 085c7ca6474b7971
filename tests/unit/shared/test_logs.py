"""Run in a process of its own: logging is configured once for the whole interpreter."""

import json
import subprocess
import sys

SCRIPT = """
import logging, structlog
from shared.logs import configure_logs
configure_logs("fetcher")
structlog.get_logger().info("connected", insee_key="hunter2", database_url="postgresql://hunter2@x")
logging.getLogger("pika").warning("closed: %s", "reason")
"""


def test_each_event_is_one_json_line_and_secrets_are_not_in_it() -> None:
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    ).stdout
    first, second = (json.loads(line) for line in output.splitlines())
    assert first["event"] == "connected"
    assert first["service"] == second["service"] == "fetcher"
    assert first["insee_key"] == first["database_url"] == "[redacted]"
    assert "hunter2" not in output
    assert (second["event"], second["level"]) == ("closed: reason", "warning")
