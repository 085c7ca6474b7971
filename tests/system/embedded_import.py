"""The demo's services on a database and a simulator of the test, until a signal."""

import signal
import sys

from services.embedded.__main__ import embedded_services
from shared.clock import Clock


def main(database_url: str, insee_url: str, requests_per_minute: str) -> None:
    clock = Clock()
    signal.signal(signal.SIGTERM, lambda *_: clock.stopping.set())
    rate = int(requests_per_minute)
    with embedded_services(database_url, insee_url, requests_per_minute=rate, clock=clock):
        clock.stopping.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
