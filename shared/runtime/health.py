"""The health check of a container, run beside its service.

A service is healthy while /metrics answers, every loop has recently ended a turn without an error,
and the connection to the queue is open. A server that is away makes it unhealthy; when the server
returns, it is healthy again without a restart.

    python -m shared.runtime.health --port 9191 --patience-seconds 300
"""

import argparse
import http
import http.client
import sys
import time
from collections.abc import Iterator

_TIMEOUT_SECONDS = 4.0
_LAST_TURN = "sirenade_loop_last_turn_timestamp_seconds{"
_CONNECTED = "sirenade_consumer_connected{"


def faults(metrics: str, *, now_seconds: float, patience_seconds: float) -> Iterator[str]:
    """Return the faults that the text of /metrics tells of, one line each."""
    for line in metrics.splitlines():
        if not line.startswith((_LAST_TURN, _CONNECTED)):
            continue
        name, _, value = line.rpartition(" ")
        labels = name.partition("{")[2].rstrip("}")
        if line.startswith(_CONNECTED):
            if float(value) != 1:
                yield f"not connected to the queue: {labels}"
        elif float(value) == 0:
            yield f"no turn of the loop has succeeded yet: {labels}"
        elif (age_seconds := now_seconds - float(value)) > patience_seconds:
            yield f"no turn of the loop has succeeded for {age_seconds:.0f} s: {labels}"


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
