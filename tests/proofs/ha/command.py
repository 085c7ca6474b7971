"""`prove ha`: the loss of each server in the middle of an import with its texts."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from deploy.local.folders import LOCAL
from shared.imports.progress import Progress, read_progress
from shared.terminal.console import Console
from tests.proofs import plots
from tests.proofs.chaos.command import make_queues
from tests.proofs.command import fresh, is_over, lasted, tell
from tests.proofs.end_state import read_facts, texts_made_twice
from tests.proofs.ha.blows import (
    BROKER_HUNG,
    BROKER_KILLED,
    PRIMARY_HUNG,
    PRIMARY_KILLED,
    Blows,
)
from tests.proofs.ha.gaps import Onlooker
from tests.proofs.ha.stack import HaStack, run_ha_stack
from tests.proofs.page import Proof
from tests.proofs.promises import Promise, exactly, judge_end, judge_work
from tests.proofs.samples import Sampler
from tests.proofs.stack import Simulated

_ROWS_PER_REQUEST = 20
_REQUESTS_PER_MINUTE = 60
# More than a round takes: the work must outlast the blows.
_ROWS_OF_A_ROUND = 12_000
_MOST_SECONDS = {BROKER_KILLED: 10, BROKER_HUNG: 10, PRIMARY_KILLED: 60, PRIMARY_HUNG: 60}
_SETTINGS = {
    "SIRENADE_INSEE_ROWS_PER_PAGE": str(_ROWS_PER_REQUEST),
    "SIRENADE_INSEE_TIMEOUT_SECONDS": "3",
    "SIRENADE_FETCHER_SLOT_PATIENCE_SECONDS": "3",
    "SIRENADE_FETCHER_STALL_SECONDS": "8",
    "SIRENADE_REVIEWER_LEASE_SECONDS": "10",
    "SIRENADE_REVIEWER_STALL_SECONDS": "15",
}


def prove_ha(
    *,
    repeats: Annotated[int, typer.Option(help="Rounds; gaps are their medians.", min=1)] = 1,
    rows: Annotated[
        int, typer.Option(help="Establishments to import; 0: enough for the rounds.", min=0)
    ] = 0,
    directory: Annotated[Path, typer.Option(help="Folder of the run.")] = LOCAL / "prove",
) -> None:
    """Lose each node of RabbitMQ and the primary of PostgreSQL in the middle of an import.

    Three nodes of RabbitMQ and a primary with a synchronous standby: each is killed with -9 and
    frozen in turn, and its name is gone with it. The standby is promoted; the old primary comes
    back writable, which services refuse, then as a standby. A round takes some eight minutes.
    """
    console = Console(stderr=True)
    folder = fresh(directory / "ha")
    rows = rows or repeats * _ROWS_OF_A_ROUND
    console.print(f"{repeats} rounds of lost servers in an import of {rows} establishments")
    insee = Simulated(rows, _REQUESTS_PER_MINUTE)
    with run_ha_stack(folder, settings=_SETTINGS, insee=insee) as ha:
        make_queues(ha.nodes[0].url)
        ha.stack.start_each(("fetcher", "writer", "reviewer"), 2)
        ha.stack.order_import()
        onlooker = Onlooker(ha.pair.servers[ha.pair.primary])
        onlooker.begin()
        blows = Blows(ha, onlooker, Sampler(ha.stack, ha.stack.logs), console.print)
        for _ in range(repeats):
            blows.round()
        struck_at_work = not _is_done(ha)
        while not _is_done(ha):
            blows.go_on(1.0)
        onlooker.end()
        ha.stack.engine.dispose()
        promises = [
            Promise("blows struck while there was work", "yes", *_yes(struck_at_work)),
            *_judge_gaps(blows),
            exactly("rows written to an old primary", 0, blows.written_at_old),
            *judge_end(read_facts(ha.stack.engine, promised_rows=rows, rests=True)),
            *judge_work(_read(ha)),
            exactly("texts made twice", 0, texts_made_twice(ha.stack.engine)),
        ]
    tell(_proof(blows, promises, repeats), folder, console)


def _is_done(ha: HaStack) -> bool:
    try:
        return is_over(_read(ha))
    except DBAPIError:
        return False


def _read(ha: HaStack) -> Progress:
    with ha.stack.engine.connect() as connection:
        return read_progress(connection)


def _judge_gaps(blows: Blows) -> list[Promise]:
    promises = []
    for kind, most in _MOST_SECONDS.items():
        for what in ("pages", "texts"):
            measured = statistics.median(getattr(gap, what) for gap in blows.gaps[kind])
            name = f"{kind}: longest time without {what}"
            promises.append(Promise(name, f"≤ {most} s", f"{measured:.1f} s", measured <= most))
    return promises


def _yes(kept: bool) -> tuple[str, bool]:
    return ("yes" if kept else "no"), kept


def _proof(blows: Blows, promises: Sequence[Promise], repeats: int) -> Proof:
    samples = blows.sampler.samples
    return Proof(
        title=f"{repeats} rounds of lost servers",
        told=f"in all {lasted(samples[-1].at_seconds)} · {blows.restarted} services ended by"
        " themselves and were started again",
        figures={
            "gaps": {kind: [vars(gap) for gap in gaps] for kind, gaps in blows.gaps.items()},
            "restarted": blows.restarted,
        },
        samples=samples,
        promises=promises,
        plots={
            "Throughput": plots.throughput(samples),
            "Memory by process": plots.memory(samples),
            "TCP connections": plots.connections(samples),
            "Queues": plots.queues(samples),
        },
    )
