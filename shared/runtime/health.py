"""The health check of a container, run beside its service.

A service is healthy while /metrics answers, every loop has recently ended a turn without an error,
the connection to the queue is open, and no message has been worked on for longer than any may. A
server that is away makes it unhealthy; when the server returns, it is healthy again without a
restart.

    python -m shared.runtime.health --port 9191 --patience-seconds 300
"""

import argparse
import http
import http.client
import sys
import time
from collections.abc import Iterator

_TIMEOUT_SECONDS = 4.0
_LAST_TURN = "sirenade_loop_last_turn_timestamp_seconds"
_INTERVAL = "sirenade_loop_interval_seconds"
_CONNECTED = "sirenade_consumer_connected"
_OLDEST_START = "sirenade_message_oldest_start_timestamp_seconds"
# A loop may miss a turn; the slowest ones have one an hour.
_TURNS = 2
# The longest time limit of an actor is 20 minutes, and its store may take some more.
_MESSAGE_SECONDS = 2400.0


def faults(metrics: str, *, now_seconds: float, patience_seconds: float) -> Iterator[str]:
    """Return the faults that the text of /metrics tells of, one line each."""
    found = _read_gauges(metrics)
    for labels, connected in found[_CONNECTED].items():
        if connected != 1:
            yield f"not connected to the queue: {labels}"
    for labels, last_turn in found[_LAST_TURN].items():
        patience = max(patience_seconds, _TURNS * found[_INTERVAL].get(labels, 0.0))
        if last_turn == 0:
            yield f"no turn of the loop has succeeded yet: {labels}"
        elif (age_seconds := now_seconds - last_turn) > patience:
            yield f"no turn of the loop has succeeded for {age_seconds:.0f} s: {labels}"
    for labels, start in found[_OLDEST_START].items():
        if start and (age_seconds := now_seconds - start) > _MESSAGE_SECONDS:
            yield f"a message has been worked on for {age_seconds:.0f} s: {labels}"


def _read_gauges(metrics: str) -> dict[str, dict[str, float]]:
    """Return the values of the gauges that count, by name and labels."""
    found: dict[str, dict[str, float]] = {
        name: {} for name in (_LAST_TURN, _INTERVAL, _CONNECTED, _OLDEST_START)
    }
    for line in metrics.splitlines():
        name, _, rest = line.partition("{")
        if name in found:
            labels, _, value = rest.rpartition(" ")
            found[name][labels.rstrip("}")] = float(value)
    return found


def _read(port: int) -> str:
    """Return /metrics of this container; an image without an HTTP client can be asked, too."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise OSError(f"HTTP {answer.status}")
        return answer.read().decode()
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m shared.runtime.health", description=__doc__)
    parser.add_argument("--port", type=int, default=9191, help="port of /metrics")
    parser.add_argument(
        "--patience-seconds", type=float, default=300, help="longest time without success"
    )
    options = parser.parse_args(arguments)
    try:
        metrics = _read(options.port)
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"/metrics does not answer: {error}\n")
        return 1
    patience_seconds = options.patience_seconds
    found = list(faults(metrics, now_seconds=time.time(), patience_seconds=patience_seconds))
    sys.stdout.write("\n".join(found or ["healthy"]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
