"""The plots of a proof, each as SVG."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from shared.report.plots import MUTED, make_axes, make_svg
from tests.proofs.process_usage import ProcessUsage
from tests.proofs.promises import MIB, MOST_ETA_ERROR, MOST_RSS_BYTES, eta_errors, process_names
from tests.proofs.samples import Sample

_SECONDS_OF_A_RATE = 30


def throughput(samples: Sequence[Sample]) -> str:
    """Draw establishments and texts a second, over the last half minute each."""
    figure, axes = _axes("a second")
    for label, values in (
        ("establishments stored", [each.stored for each in samples]),
        ("avis accepted", [each.avis.get("accepted", 0) for each in samples]),
    ):
        if any(values):
            axes.plot(_minutes(samples), _rates(samples, values), label=label)
    return make_svg(figure)


def memory(samples: Sequence[Sample], *, bound_bytes: int = MOST_RSS_BYTES) -> str:
    return by_process(
        samples, "MiB of RSS", lambda usage: usage.rss_bytes / MIB, bound=bound_bytes / MIB
    )


def connections(samples: Sequence[Sample]) -> str:
    return by_process(samples, "established", lambda usage: usage.connections)


def by_process(
    samples: Sequence[Sample],
    ylabel: str,
    value: Callable[[ProcessUsage], float],
    *,
    bound: float | None = None,
) -> str:
    """Draw a line for each service."""
    figure, axes = _axes(ylabel)
    for name in process_names(samples):
        have = [each for each in samples if name in each.processes]
        axes.plot(_minutes(have), [value(each.processes[name]) for each in have], label=name)
    if bound is not None:
        axes.axhline(bound, color=MUTED, linestyle="--", linewidth=1)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return make_svg(figure)


def database(samples: Sequence[Sample]) -> str:
    figure, axes = _axes("MB")
    axes.plot(_minutes(samples), [each.database_bytes / 10**6 for each in samples], label="size")
    axes.set_ylim(bottom=0)
    return make_svg(figure)


def queues(samples: Sequence[Sample]) -> str:
    figure, axes = _axes("messages")
    for name in sorted({name for each in samples for name in each.queues}):
        counts = [each.queues.get(name, 0) for each in samples]
        if any(counts):
            axes.plot(_minutes(samples), counts, label=name)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return make_svg(figure)


def quota(samples: Sequence[Sample], *, per_minute: float) -> str:
    """Draw the requests granted in the 60 seconds before, and the quota."""
    figure, axes = _axes("requests in 60 s")
    axes.plot(_minutes(samples), [each.requests_last_minute for each in samples], label="requests")
    axes.axhline(per_minute, color=MUTED, linestyle="--", linewidth=1, label="quota")
    return make_svg(figure)


def eta(samples: Sequence[Sample]) -> str:
    """Draw the error of the foretold end, in per cent of the whole time."""
    figure, axes = _axes("% of the whole time")
    errors = eta_errors(samples)
    axes.plot([at / 60 for at, _ in errors], [100 * error for _, error in errors], label="error")
    for side in (-1, 1):
        axes.axhline(side * 100 * MOST_ETA_ERROR, color=MUTED, linestyle="--", linewidth=1)
    axes.set_ylim(-30, 30)
    return make_svg(figure)


def _minutes(samples: Sequence[Sample]) -> list[float]:
    return [each.at_seconds / 60 for each in samples]


def _rates(samples: Sequence[Sample], values: Sequence[int]) -> list[float]:
    rates, start = [], 0
    for number, each in enumerate(samples):
        while samples[start].at_seconds < each.at_seconds - _SECONDS_OF_A_RATE:
            start += 1
        seconds = each.at_seconds - samples[start].at_seconds
        rates.append((values[number] - values[start]) / seconds if seconds else 0.0)
    return rates


def _axes(ylabel: str) -> tuple[Figure, Axes]:
    figure, axes = make_axes()
    axes.set_xlabel("minutes")
    axes.set_ylabel(ylabel)
    return figure, axes
