"""`prove soak`: hours of steady work that let nothing grow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.folders import LOCAL
from shared.logs.files import CLOSED_FILES, FILE_BYTES, SERVICES, log_bytes_cap
from shared.terminal.console import Console
from tests.proofs import plots
from tests.proofs.command import follow, fresh, is_over, lasted, tell
from tests.proofs.end_state import read_facts
from tests.proofs.page import Proof
from tests.proofs.promises import Promise
from tests.proofs.samples import Sample
from tests.proofs.soak.promises import Meanwhile, judge_soak
from tests.proofs.soak.simulated_days import Days
from tests.proofs.stack import Simulated, run_stack

# The public quota, and a day's share an hour: the machine stays free for other work.
_REQUESTS_PER_MINUTE = 30
_ROWS_PER_REQUEST = 20
# The requests of a delta: the publication, a count of each collection, their pages. The first
# delta also brings the rows that the simulator dates into its last day.
_REQUESTS_OF_A_DELTA = 12
_SHARE_OF_THE_LAST_DAY = 0.02
_DELTA_SECONDS = 300.0
_FEWEST_DELTAS = 2
_LONG_SECONDS = 1200.0
_SAMPLE_SECONDS = 5.0
_LOG_BOUND = f"{len(SERVICES)} services × {1 + CLOSED_FILES} files of {FILE_BYTES / 10**6:.0f} MB"


def prove_soak(
    *,
    hours: Annotated[float, typer.Option(help="Duration of the work.", min=0.02, max=12)] = 1.0,
    directory: Annotated[Path, typer.Option(help="Folder of the run.")] = LOCAL / "prove",
) -> None:
    """Import, review and fetch deltas for hours at a steady rate, and see that nothing grows.

    It makes 30 requests a minute of 20 rows each and the texts that are due. A day passes at
    INSEE every five minutes: changes, closures, new names, and a delta that brings them. Status 1
    means a broken promise; the report and the JSON are kept either way.
    """
    seconds = 3600 * hours
    delta_seconds = min(_DELTA_SECONDS, seconds / (_FEWEST_DELTAS + 1))
    rows = _rows_for(seconds, deltas=int(seconds / delta_seconds) - 1)
    console = Console(stderr=True)
    folder = fresh(directory / "soak")
    title = f"{lasted(seconds)} of import, texts and deltas"
    console.print(f"{title}: {rows} establishments, a delta every {delta_seconds:.0f} s")
    logs = folder / "log-files"
    logs.mkdir()
    settings = {
        "SIRENADE_INSEE_ROWS_PER_PAGE": str(_ROWS_PER_REQUEST),
        # After a change the simulator looks through its register anew.
        "SIRENADE_INSEE_TIMEOUT_SECONDS": "120",
        "SIRENADE_LOG_DIRECTORY": str(logs),
        # The operator orders a delta at its start: nothing is published yet that day.
        "SIRENADE_DELTA_WAIT_MINUTES": "0",
    }
    with run_stack(folder, insee=Simulated(rows, _REQUESTS_PER_MINUTE), settings=settings) as stack:
        stack.start_each(SERVICES)
        assert stack.insee is not None
        days = Days(stack.insee.root, stack.engine, stack.order_import(), delta_seconds)
        days.begin()
        every_seconds = _SAMPLE_SECONDS if seconds >= _LONG_SECONDS else 1.0
        samples = follow(
            *(stack, title, console),
            until=is_over,
            meanwhile=days.turn,
            every_seconds=every_seconds,
            logs=logs,
        )
        meanwhile = Meanwhile(
            asked_seconds=seconds,
            deltas_ordered=len(days.deltas),
            deltas_complete=days.complete(),
            changes=len(days.changed),
            changes_stored=days.stored(),
            most_log_bytes=log_bytes_cap(len(SERVICES)),
            log_bound_told=_LOG_BOUND,
        )
        facts = read_facts(stack.engine, promised_rows=rows, rests=True)
    tell(_proof(samples, judge_soak(samples, facts, meanwhile), title), folder, console)


def _rows_for(seconds: float, *, deltas: int) -> int:
    """Return the rows that the quota brings in that time beside the deltas."""
    requests = _REQUESTS_PER_MINUTE * seconds / 60 - _REQUESTS_OF_A_DELTA * deltas
    return round(requests * _ROWS_PER_REQUEST * (1 - _SHARE_OF_THE_LAST_DAY))


def _proof(samples: Sequence[Sample], promises: list[Promise], title: str) -> Proof:
    return Proof(
        title=title,
        told=f"in all {lasted(samples[-1].at_seconds)}",
        figures={"quota_per_minute": _REQUESTS_PER_MINUTE},
        samples=samples,
        promises=promises,
        plots={
            "Throughput": plots.throughput(samples),
            "Memory by process": plots.memory(samples),
            "File descriptors": plots.by_process(samples, "open", lambda usage: usage.files),
            "Threads": plots.by_process(samples, "threads", lambda usage: usage.threads),
            "TCP connections": plots.connections(samples),
            "Queues": plots.queues(samples),
            "Quota": plots.quota(samples, per_minute=_REQUESTS_PER_MINUTE),
        },
    )
