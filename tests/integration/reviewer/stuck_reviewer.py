"""A reviewer process that claims and never stores: its generator writes a file, and hangs."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.reviewer.actors import ShardReviewer, declare_actors
from services.reviewer.notices.template import GeneratedText
from services.reviewer.texts.author import Author
from services.reviewer.validation import Verdict
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.runtime.service import Running, Service, run_until_stopped
from shared.sirene.facts import Facts


def main(database_url: str, broker_url: str, lease_seconds: str, begun: str) -> None:
    clock, metrics = Clock(), Metrics()

    def hang(facts: Facts, _year: int) -> GeneratedText:
        Path(begun).write_text(facts.siret, encoding="utf-8")
        threading.Event().wait()
        raise AssertionError

    broker = make_broker(broker_url)
    reviewer = ShardReviewer(
        engine=make_engine(database_url, application_name="stuck"),
        generators=ThreadPoolExecutor(4),
        author=Author(lambda *_: Verdict(), clock, hang),
        clock=clock,
        metrics=metrics,
        lease_seconds=float(lease_seconds),
        sole_traders=False,
    )
    declare_actors(broker, reviewer)
    service = Service("stuck", ReviewAvis.QUEUE, worker_threads=1)
    run_until_stopped(Running([service], broker, clock, metrics), clock)


if __name__ == "__main__":
    main(*sys.argv[1:])
