"""A relay in a process of its own: it says what it sent, and waits for a word before it marks."""

import sys

from services.reviewer.relay import Relay
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.leases.rows import LeaseLost
from shared.messages import ReviewAvis
from shared.metrics import Metrics


def main(database_url: str, lease_seconds: str) -> None:
    def publish(message: ReviewAvis) -> None:
        sys.stdout.write(f"{len(message.avis_ids)}\n")
        sys.stdout.flush()
        sys.stdin.readline()

    relay = Relay(
        engine=make_engine(database_url, application_name="frozen"),
        publish=publish,
        clock=Clock(),
        metrics=Metrics(),
        high_water=1000,
        stall_seconds=900,
        lease_seconds=float(lease_seconds),
    )
    try:
        relay.step()
    except LeaseLost:
        sys.stdout.write("lost\n")
    else:
        sys.stdout.write("done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
