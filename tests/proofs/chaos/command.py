"""`prove chaos`: random blows in the middle of an import, then a look at what is whole."""

import math
import random
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.folders import LOCAL
from shared.broker import ReliableBroker, make_broker
from shared.messages import FETCH_QUEUE, REVIEW_QUEUE, WRITE_QUEUE
from shared.terminal.console import Console
from tests.proofs.chaos.blows import MEAN_WAIT_SECONDS, make_blows
from tests.proofs.chaos.strikes import Chaos
from tests.proofs.command import fresh, tell_promises
from tests.proofs.stack import Simulated, run_stack

_ROWS_PER_REQUEST = 100
_GENERATORS = 5
_SETTINGS = {
    "SIRENADE_INSEE_ROWS_PER_PAGE": str(_ROWS_PER_REQUEST),
    "SIRENADE_REVIEWER_GENERATORS": str(_GENERATORS),
    # The work goes on after a kill when leases and stalls run out: short ones wait less.
    "SIRENADE_INSEE_TIMEOUT_SECONDS": "3",
    "SIRENADE_FETCHER_SLOT_PATIENCE_SECONDS": "3",
    "SIRENADE_FETCHER_STALL_SECONDS": "8",
    "SIRENADE_REVIEWER_LEASE_SECONDS": "10",
    "SIRENADE_REVIEWER_STALL_SECONDS": "15",
}


def prove_chaos(
    *,
    kills: Annotated[int, typer.Option(help="Number of blows.", min=1)] = 20,
    rows: Annotated[
        int, typer.Option(help="Establishments to import during the blows.", min=1000, max=600_000)
    ] = 20_000,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the blows; drawn and printed unless given.")
    ] = None,
    directory: Annotated[Path, typer.Option(help="Folder of the run.")] = LOCAL / "prove",
) -> None:
    """Strike at random in the middle of an import with its texts, then look what is whole.

    Blows kill processes, PostgreSQL and RabbitMQ with -9, and cut their connections. The quota
    makes the import last as long as the blows.
    """
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    console = Console(stderr=True)
    console.print(f"{kills} blows at an import of {rows} establishments, --seed {seed}")
    # Twice the time of the waits: killed servers need time to come back.
    minutes = 2 * kills * MEAN_WAIT_SECONDS / 60
    quota = math.ceil(rows / _ROWS_PER_REQUEST / minutes)
    with run_stack(
        fresh(directory / "chaos"),
        insee=Simulated(rows, requests_per_minute=quota),
        settings=_SETTINGS,
    ) as stack:
        make_queues(stack.rabbitmq.url)
        stack.start_each(("fetcher", "writer", "reviewer"), 2)
        stack.order_import()
        work = Chaos(stack, _GENERATORS, console.print)
        work.run(make_blows(seed, kills, list(stack.services)))
        promises = work.judge(rows=rows, kills=kills)
    struck = ", ".join(f"{name} {times}" for name, times in Counter(work.struck).most_common())
    console.print(f"struck: {struck}; ended by themselves and started again: {work.restarted}")
    tell_promises(promises, console)


def make_queues(broker_url: str) -> None:
    """Make the queues first: RabbitMQ may lose one that is young (docs/adr/0003-broker.md)."""
    broker = make_broker(broker_url)
    assert isinstance(broker, ReliableBroker)
    for queue in (FETCH_QUEUE, WRITE_QUEUE, REVIEW_QUEUE):
        broker.declare_queue(queue, ensure=True)
    broker.close()
