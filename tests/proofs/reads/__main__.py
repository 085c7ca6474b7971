"""The process of the readers: many threads who read, one that erases, one that looks at the index.

`python -m tests.proofs.reads ADDRESS FILE READERS` writes the file at SIGTERM.
"""

import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Engine

from services.portal.index import cursors
from shared.db.engine import make_engine
from shared.settings import DatabaseSettings, load
from tests.proofs.reads.answers import IndexLag, ReadAnswer, ReadRun
from tests.proofs.reads.reader import ProofReader
from tests.proofs.reads.register import ReadRegister

_SEED = 20
_EVERY_SECONDS = 1.0
_ERASE_EVERY_SECONDS = 4.0
# Readers look into the database in turn.
_CONNECTIONS = 12


def _erase(register: ReadRegister, stopping: threading.Event) -> int:
    erased = 0
    while not stopping.wait(_ERASE_EVERY_SECONDS):
        erased += register.erase_one()
    return erased


def _watch(
    engine: Engine, register: ReadRegister, begun: float, stopping: threading.Event
) -> list[IndexLag]:
    lags = []
    while not stopping.wait(_EVERY_SECONDS):
        register.renew()
        with engine.connect() as connection:
            lag = cursors.lag_seconds(connection, cursors.INDEX)
        lags.append(IndexLag(round(time.monotonic() - begun, 2), round(lag, 3)))
    return lags


def main(address: str, file: str, readers: str) -> None:
    stopping, begun = threading.Event(), time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    url = load(DatabaseSettings).database_url.get_secret_value()
    engine = make_engine(url, application_name="sirenade-readers", pool_size=_CONNECTIONS)
    register = ReadRegister(engine, random.Random(_SEED))
    answers: list[ReadAnswer] = []
    with ThreadPoolExecutor(int(readers) + 2) as threads:
        watched = threads.submit(_watch, engine, register, begun, stopping)
        erased = threads.submit(_erase, register, stopping)
        read = [
            threads.submit(
                ProofReader(address, register, answers.append, random.Random(seed), begun).read,
                stopping,
            )
            for seed in range(int(readers))
        ]
    for each in read:
        each.result()
    ReadRun(answers, watched.result(), erased.result()).write(Path(file))
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
