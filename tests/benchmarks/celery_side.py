"""Publish or consume with Celery: `celery_side.py KIND URL QUEUE publish|consume COUNT`.

It runs in an environment of its own, made from requirements/celery.txt.
"""

import sys
import threading

import celery
import celery.worker.state

from tests.benchmarks.message_timing import ACTOR, THREADS, Consumption, publish


def main(kind: str, url: str, queue: str, what: str, count: int) -> None:
    app = celery.Celery("benchmark", broker=url, set_as_current=True)
    app.conf.update(
        task_default_queue=queue,
        task_ignore_result=True,
        # Dramatiq acknowledges a message once it is done, not before; so does Celery here.
        task_acks_late=True,
        worker_enable_remote_control=False,
        worker_redirect_stdouts=False,
        broker_transport_options={"confirm_publish": kind.endswith("confirmed")},
    )
    consumption = Consumption(count)

    def no_op(number: int) -> None:
        consumption.count(number)

    task = app.task(no_op, name=ACTOR)
    if what == "publish":
        publish(lambda number: task.apply_async((number,), task_id=str(number), retry=False), count)
        return

    def stop() -> None:
        consumption.over.wait()
        celery.worker.state.should_stop = 0  # an exit status: in good order

    threading.Thread(target=stop, daemon=True).start()
    worker = app.Worker(
        pool="threads",
        concurrency=THREADS,
        loglevel="ERROR",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
