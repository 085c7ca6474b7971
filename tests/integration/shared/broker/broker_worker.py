"""A worker process for tests that kill it: `broker_worker.py stock|reliable URL QUEUE FOLDER`.

The actor takes a number and says in FOLDER/log what it does, a line each: `begun N`, `done N`.
It waits for the file FOLDER/wait-N to go where there is one, and ends the process at FOLDER/die-N.
"""

import os
import sys
import time
from pathlib import Path

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from shared.broker import make_broker


def main(kind: str, url: str, queue: str, folder: Path) -> None:
    delivery_limit = int(os.environ.get("DELIVERY_LIMIT", "20"))
    broker: dramatiq.Broker = (
        RabbitmqBroker(url=url)
        if kind == "stock"
        else make_broker(url, delivery_limit=delivery_limit)
    )
    log = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def act(number: int) -> None:
        os.write(log, f"begun {number}\n".encode())
        if (folder / f"die-{number}").exists():
            os._exit(1)
        while (folder / f"wait-{number}").exists():
            time.sleep(0.01)
        os.write(log, f"done {number}\n".encode())

    dramatiq.actor(broker=broker, actor_name="act", queue_name=queue)(act)
    dramatiq.Worker(broker, worker_threads=2, worker_timeout=100).start()
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
