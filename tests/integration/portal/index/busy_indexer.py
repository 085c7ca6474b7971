"""An indexer in a process of its own, which works without a pause, a few changes at a time."""

import sys

from services.portal.index import indexer, rebuild
from services.portal.index.indexer import Indexer
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.metrics import Metrics

if __name__ == "__main__":
    indexer.BATCH = rebuild.STEP = 3
    work = Indexer(make_engine(sys.argv[1], application_name="test"), Clock(), Metrics())
    with work.engine.connect():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
    while True:
        work.step()
