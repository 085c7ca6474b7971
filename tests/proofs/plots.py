"""The plots of a proof, as SVG for the page they stand in."""

import io
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tests.proofs.process_usage import ProcessUsage
from tests.proofs.promises import (
    MIB,
    MOST_ETA_ERROR,
    MOST_RSS_BYTES,
    eta_errors,
    process_names,
)
from tests.proofs.samples import Sample

_INK, _MUTED, _GRID = "#1f2933", "#66737f", "#d9dfe4"
_COLOURS = ("#2f6f9f", "#e0a030", "#4f8a5b", "#b8473d", "#7a5ea8", "#3a9aa0")
_SECONDS_OF_A_RATE = 30


def throughput(samples: Sequence[Sample]) -> str:
    """Establishments and texts a second, over the last half minute each."""
    figure, axes = _axes("a second")
    for label, values in (
        ("establishments stored", [each.stored for each in samples]),
        ("avis accepted", [each.avis.get("accepted", 0) for each in samples]),
    ):
        if any(values):
            axes.plot(_minutes(samples), _rates(samples, values), label=label)
    return _svg(figure)


def memory(samples: Sequence[Sample], *, bound_bytes: int = MOST_RSS_BYTES) -> str:
    return by_process(
        samples, "MiB of RSS", lambda usage: usage.rss_bytes / MIB, bound=bound_bytes / MIB
    )


def by_process(
    samples: Sequence[Sample],
    ylabel: str,
    value: Callable[[ProcessUsage], float],
    *,
    bound: float | None = None,
) -> str:
    """A line for each of our services."""
    figure, axes = _axes(ylabel)
    for name in process_names(samples):
        have = [each for each in samples if name in each.processes]
        axes.plot(_minutes(have), [value(each.processes[name]) for each in have], label=name)
    if bound is not None:
        axes.axhline(bound, color=_MUTED, linestyle="--", linewidth=1)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return _svg(figure)


def database(samples: Sequence[Sample]) -> str:
    figure, axes = _axes("MB")
    axes.plot(_minutes(samples), [each.database_bytes / 10**6 for each in samples], label="size")
    axes.set_ylim(bottom=0)
    return _svg(figure)


def queues(samples: Sequence[Sample]) -> str:
    figure, axes = _axes("messages")
    for name in sorted({name for each in samples for name in each.queues}):
        counts = [each.queues.get(name, 0) for each in samples]
        if any(counts):
            axes.plot(_minutes(samples), counts, label=name)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return _svg(figure)


def quota(samples: Sequence[Sample], *, per_minute: float) -> str:
    """Requests granted in the 60 seconds before, against the quota."""
    figure, axes = _axes("requests in 60 s")
    axes.plot(_minutes(samples), [each.requests_last_minute for each in samples], label="requests")
    axes.axhline(per_minute, color=_MUTED, linestyle="--", linewidth=1, label="quota")
    return _svg(figure)


def eta(samples: Sequence[Sample]) -> str:
    """How far the foretold end was off, in per cent of the whole time."""
    figure, axes = _axes("% of the whole time")
    errors = eta_errors(samples)
    axes.plot([at / 60 for at, _ in errors], [100 * error for _, error in errors], label="error")
    for side in (-1, 1):
        axes.axhline(side * 100 * MOST_ETA_ERROR, color=_MUTED, linestyle="--", linewidth=1)
    axes.set_ylim(-30, 30)
    return _svg(figure)


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
    figure = Figure(figsize=(7.2, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=_COLOURS)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_GRID)
    axes.tick_params(colors=_INK, labelsize=8, length=0)
    axes.grid(visible=True, color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("minutes", color=_MUTED, fontsize=8)
    axes.set_ylabel(ylabel, color=_MUTED, fontsize=8)
    return figure, axes


def _svg(figure: Figure) -> str:
    [axes] = figure.axes
    if axes.get_legend_handles_labels()[0]:
        figure.legend(frameon=False, fontsize=8, loc="outside upper right", ncols=4)
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    # What stands before belongs to a file of its own, not to a page.
    return written.getvalue()[written.getvalue().index("<svg") :]
