"""Invented runs to judge."""

from dataclasses import replace

from tests.proofs.process_usage import ProcessUsage
from tests.proofs.promises import MIB, EndState
from tests.proofs.samples import Sample

ROWS = 10_000
SECONDS = 500


def usage(rss_bytes: int = 100 * MIB) -> ProcessUsage:
    return ProcessUsage(rss_bytes=rss_bytes, cpu_seconds=1.0, files=20, threads=8, connections=4)


def steady_run(*, rows: int = ROWS, seconds: int = SECONDS) -> list[Sample]:
    """Make a sample a second of a run that brings the same number of rows each second."""
    return [
        Sample(
            at_seconds=float(at),
            expected=rows,
            received=rows * at // seconds,
            stored=rows * at // seconds,
            rows=rows * at // seconds,
            requests=at,
            requests_last_minute=min(at, 60),
            http_429=0,
            failed_items=0,
            avis={"accepted": at},
            avis_due=at,
            database_bytes=at,
            connections=6,
            log_bytes=1000 * at,
            queues={},
            processes={"fetcher-1": usage()},
            servers={},
            eta_seconds=float(seconds - at),
        )
        for at in range(1, seconds + 1)
    ]


def creeping(samples: list[Sample], what: str, *, per_second: float) -> list[Sample]:
    """Let one property of the run's process grow."""
    return [
        replace(
            each,
            processes={
                "fetcher-1": replace(
                    each.processes["fetcher-1"],
                    **{what: getattr(usage(), what) + int(each.at_seconds * per_second)},
                )
            },
        )
        for each in samples
    ]


def whole(rows: int = ROWS) -> EndState:
    return EndState(
        promised_rows=rows,
        stored=rows,
        missing=0,
        surplus=0,
        duplicates=0,
        counters_agree=True,
        slot_use=0.98,
    )
