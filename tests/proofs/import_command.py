"""`prove import`: a phase of the import with its texts, at the true quota."""

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.folders import LOCAL
from services.fetcher.settings import FetcherSettings
from shared.errors import UserError
from shared.imports.progress import read_progress
from shared.settings import load
from shared.terminal.console import Console
from shared.terminal.words import thousands
from tests.proofs import plots
from tests.proofs.command import follow, fresh, is_over, lasted, tell
from tests.proofs.end_state import read_facts
from tests.proofs.page import Proof
from tests.proofs.promises import EndState, judge
from tests.proofs.reads import plots as read_plots
from tests.proofs.reads.answers import ReadRun
from tests.proofs.reads.beside import SETTINGS, reads_beside
from tests.proofs.reads.promises import figures_of, judge_reads
from tests.proofs.samples import Sample
from tests.proofs.stack import Simulated, run_stack

_DAYS_OF_PHASE = {1: 7, 2: 15}
_PUBLIC_QUOTA = 30
_ROWS_PER_REQUEST = 1000
# A day's share needs its slots, the first answer and the last: the next day does not wait.
_DAY_MARGIN = 1.05


def prove_import(  # each an option of the command
    *,
    phase: Annotated[
        int, typer.Option(help="1: seven days, 245 000 establishments; 2: fifteen, 525 000.")
    ] = 1,
    days: Annotated[int | None, typer.Option(help="Other number of days.", min=1, max=365)] = None,
    per_day: Annotated[
        int, typer.Option(help="Establishments a day.", min=1, max=600_000)
    ] = 35_000,
    continuous: Annotated[
        bool,
        typer.Option("--continuous", help="Import in daily shares of short days; else in one go."),
    ] = False,
    day_seconds: Annotated[
        float | None,
        typer.Option(help="Length of such a day; by default the time of its share at the quota."),
    ] = None,
    quota: Annotated[
        int | None,
        typer.Option(
            help="Requests a minute that the simulator allows; 30 by default.", min=1, max=10_000
        ),
    ] = None,
    real: Annotated[
        bool,
        typer.Option(
            "--real", help="Ask INSEE itself: URL, key and quota come from SIRENADE_INSEE_…"
        ),
    ] = False,
    generators: Annotated[
        int, typer.Option(help="Texts in the making at once.", min=1, max=200)
    ] = 10,
    reads: Annotated[
        int,
        typer.Option(help="Readers of the portal, who check each answer.", min=0, max=500),
    ] = 0,
    directory: Annotated[Path, typer.Option(help="Folder of the run.")] = LOCAL / "prove",
) -> None:
    """Import a phase with real services and its texts, and say which promises were kept.

    At the public quota phase 1 takes some 8 minutes, phase 2 some 18. Status 1 means a broken
    promise; the report and the JSON are kept either way. Only --real asks INSEE itself, whatever
    key the environment holds.
    """
    if phase not in _DAYS_OF_PHASE:
        raise UserError(f"--phase {phase}: there are 1 (7 days) and 2 (15 days)")
    days = days or _DAYS_OF_PHASE[phase]
    rows = days * per_day
    per_minute = _real_quota(quota) if real else quota or _PUBLIC_QUOTA
    order: dict[str, float] = {"row_limit": rows}
    if continuous:
        least_seconds = 60 * per_day / _ROWS_PER_REQUEST / per_minute
        order["per_day"] = per_day
        order["day_seconds"] = day_seconds or least_seconds * _DAY_MARGIN
    console = Console(stderr=True)
    folder = fresh(directory / "import")
    title = (
        f"{days} × {thousands(per_day)} establishments{' of INSEE' if real else ''}"
        f"{f', {reads} readers' if reads else ''}"
    )
    whom = "" if real else ", the simulator"
    console.print(f"{title}: starting PostgreSQL, RabbitMQ{whom} and the services")
    simulated = None if real else Simulated(rows, requests_per_minute=math.ceil(per_minute))
    settings = {"SIRENADE_REVIEWER_GENERATORS": str(generators), **SETTINGS}
    with run_stack(folder, insee=simulated, settings=settings) as stack:
        with reads_beside(stack, reads) as readers:
            stack.start_each(("fetcher", "writer", "reviewer"))
            stack.order_import(**order)
            samples = follow(stack, title, console, until=is_over)
            read = readers.run() if readers else None
        facts = read_facts(stack.engine, promised_rows=rows, rests=continuous)
        with stack.engine.connect() as connection:
            # The progress holds the quota that INSEE's headers named.
            asked = read_progress(connection).quota_per_minute or math.nan
    proof = _proof(samples, facts, title, asked)
    if read is not None:
        proof = _with_reads(proof, read)
    tell(proof, folder, console)


def _real_quota(quota: int | None) -> float:
    """Read the quota of the fetcher's settings. Raises UserError where they do not suit INSEE."""
    if quota is not None:
        raise UserError(
            "--quota is the simulator's; with --real: SIRENADE_INSEE_REQUESTS_PER_MINUTE"
        )
    if not any(os.environ.get(name) for name in ("SIRENADE_INSEE_KEY", "SIRENADE_INSEE_KEY_FILE")):
        raise UserError("--real wants a key: set SIRENADE_INSEE_KEY_FILE or SIRENADE_INSEE_KEY")
    # Database and broker are the proof's own, whatever the environment names.
    settings = load(FetcherSettings, database_url="postgresql://none", broker_url="memory://")
    return settings.insee_requests_per_minute


def _with_reads(proof: Proof, run: ReadRun) -> Proof:
    return replace(
        proof,
        told=f"{proof.told}; {thousands(len(run.answers))} answers to readers",
        figures={**proof.figures, "reads": figures_of(run)},
        promises=[*proof.promises, *judge_reads(run)],
        plots={
            "Answers to readers": read_plots.answer_times(run),
            "Lag of the index": read_plots.index_lag(run),
            **proof.plots,
        },
    )


def _proof(samples: Sequence[Sample], facts: EndState, title: str, quota: float) -> Proof:
    first = next(each.at_seconds for each in samples if each.requests)
    import_end = next(each.at_seconds for each in samples if each.received == samples[-1].received)
    texts = [each.at_seconds for each in samples if each.avis.get("accepted")]
    seconds, import_seconds = samples[-1].at_seconds - first, import_end - first
    texts_seconds = samples[-1].at_seconds - texts[0] if texts else 0.0
    return Proof(
        title=title,
        told=f"import {lasted(import_seconds)}; texts {lasted(texts_seconds)}, the last "
        f"{lasted(seconds - import_seconds)} after the last establishment",
        figures={
            "quota_per_minute": quota,
            "seconds": seconds,
            "import_seconds": import_seconds,
            "texts_seconds": texts_seconds,
        },
        samples=samples,
        promises=judge(samples, facts),
        plots={
            "Throughput": plots.throughput(samples),
            "Quota": plots.quota(samples, per_minute=quota),
            "Memory by process": plots.memory(samples),
            "Queues": plots.queues(samples),
            "Error of the ETA": plots.eta(samples),
            "Database size": plots.database(samples),
        },
    )
