"""A reviewer process that writes the avis of one place in small groups, in an order of its own."""

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from services.reviewer.actors import ShardReviewer
from services.reviewer.texts.author import Author
from services.reviewer.texts.duplicates import Rewriter
from services.reviewer.validation import validate
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.metrics import Metrics

_PENDING = text("SELECT id FROM avis WHERE outcome = 'pending'")
_GROUP = 5
_LEASE_SECONDS = 4.0


def main(database_url: str, seed: str) -> None:
    clock, metrics = Clock(), Metrics()
    engine = make_engine(database_url, application_name="near")
    drawn = random.Random(seed)
    reviewer = ShardReviewer(
        engine=engine,
        generators=ThreadPoolExecutor(2),
        author=Author(validate, clock),
        clock=clock,
        metrics=metrics,
        lease_seconds=_LEASE_SECONDS,
        sole_traders=False,
        rewriter=Rewriter(validate, clock, metrics),
    )
    while True:
        with engine.connect() as connection:
            ids = list(connection.execute(_PENDING).scalars())
        if not ids:
            return
        drawn.shuffle(ids)
        reviewer.work(ids[:_GROUP])
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
