"""Publish or consume with dramatiq: `dramatiq_side.py KIND URL QUEUE publish|consume COUNT`."""

import sys
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from shared.broker import make_broker
from tests.benchmarks.message_timing import ACTOR, THREADS, Consumption, publish


def main(kind: str, url: str, queue: str, what: str, count: int) -> None:
    broker: dramatiq.Broker = (
        make_broker(url)
        if kind == "ours"
        else RabbitmqBroker(url=url, confirm_delivery=kind.endswith("confirmed"))
    )
    if what == "publish":
        broker.declare_queue(queue)

        def send(number: int) -> None:
            broker.enqueue(dramatiq.Message[Any](queue, ACTOR, (number,), {}, {}))

        publish(send, count)
        return
    consumption = Consumption(count)
    dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=queue)(consumption.count)
    worker = dramatiq.Worker(broker, worker_threads=THREADS)
    worker.start()
    consumption.over.wait()
    worker.stop()
    broker.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
