"""The table of the processes' use over a run, one line each. Pure."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.terminal.words import mib, percent, thousands
from tests.proofs.process_usage import ProcessUsage
from tests.proofs.promises import LEAST_SECONDS
from tests.proofs.samples import Sample

_SECONDS_OF_A_RATE = 10.0
_FEWEST = 2


@dataclass(frozen=True)
class UsageLine:
    """The use of one process over the run.

    `rss_slope_bytes` is the growth in a second of the second half; None where the run is short.
    CPU is a share of one core, its maximum over ten seconds.
    """

    name: str
    rss_most_bytes: int
    rss_slope_bytes: float | None
    cpu_mean: float
    cpu_most: float
    files_most: int
    threads_most: int
    connections_most: int

    def cells(self) -> tuple[str, ...]:
        slope = self.rss_slope_bytes
        return (
            self.name,
            mib(self.rss_most_bytes),
            "" if slope is None else f"{slope * 3600 / 2**20:+.1f} MiB/h",
            percent(self.cpu_mean, decimals=1),
            percent(self.cpu_most),
            str(self.files_most),
            str(self.threads_most),
            str(self.connections_most or ""),
        )


def totals_of(samples: Sequence[Sample]) -> dict[str, str]:
    """Return the totals of the run that no promise covers."""
    last = samples[-1]
    outcomes = ", ".join(f"{name} {thousands(n)}" for name, n in sorted(last.avis.items()))
    depths: Counter[str] = Counter()
    for each in samples:
        depths |= Counter(each.queues)
    queues = ", ".join(f"{name} {thousands(most)}" for name, most in sorted(depths.items()))
    told = {
        "requests": thousands(last.requests) if last.requests else "",
        "avis by outcome": outcomes,
        "most messages in queues": queues,
        "database": f"{last.database_bytes / 10**6:.0f} MB, "
        f"{max(each.connections for each in samples)} connections at most",
        "logs": f"{last.log_bytes / 1000:.0f} kB",
    }
    return {name: value for name, value in told.items() if value}


def usage_of_services(samples: Sequence[Sample]) -> list[UsageLine]:
    return _lines([(each.at_seconds, each.processes) for each in samples])


def usage_of_servers(samples: Sequence[Sample]) -> list[UsageLine]:
    return _lines([(each.at_seconds, each.servers) for each in samples])


def _lines(readings: Sequence[tuple[float, dict[str, ProcessUsage]]]) -> list[UsageLine]:
    names = sorted({name for _, usages in readings for name in usages})
    every_series = {
        name: [(at, usages[name]) for at, usages in readings if name in usages] for name in names
    }
    return [_line(name, each) for name, each in every_series.items() if len(each) >= _FEWEST]


def _line(name: str, series: Sequence[tuple[float, ProcessUsage]]) -> UsageLine:
    usages = [usage for _, usage in series]
    (begin, first), (end, last) = series[0], series[-1]
    half = series[len(series) // 2 :]
    slope = None
    if end - begin >= LEAST_SECONDS:
        slope = statistics.linear_regression(
            [at for at, _ in half], [usage.rss_bytes for _, usage in half]
        ).slope
    return UsageLine(
        name,
        rss_most_bytes=max(each.rss_bytes for each in usages),
        rss_slope_bytes=slope,
        cpu_mean=(last.cpu_seconds - first.cpu_seconds) / (end - begin),
        cpu_most=_most_cpu(series),
        files_most=max(each.files for each in usages),
        threads_most=max(each.threads for each in usages),
        connections_most=max(each.connections for each in usages),
    )


def _most_cpu(series: Sequence[tuple[float, ProcessUsage]]) -> float:
    most, start = 0.0, 0
    for number, (at, usage) in enumerate(series):
        # Move to the latest reading that is old enough.
        while start + 1 < number and series[start + 1][0] <= at - _SECONDS_OF_A_RATE:
            start += 1
        begun, before = series[start]
        if at - begun >= _SECONDS_OF_A_RATE:
            most = max(most, (usage.cpu_seconds - before.cpu_seconds) / (at - begun))
    return most
