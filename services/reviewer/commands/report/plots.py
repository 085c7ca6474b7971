"""The plots of the report on the texts, each as SVG."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator
from sqlalchemy import Row

from services.reviewer.commands.report.figures import eur_per_1000
from shared.report.plots import COLOURS, MUTED, make_axes, make_svg

_FIRST, _SECOND, _LATER = COLOURS[0], COLOURS[1], COLOURS[3]
_MOST_REASONS = 15
_MOST_MODELS = 10
_FEW_MINUTES = 3


def rejections(reasons: Mapping[str, tuple[int, int, int]]) -> str:
    """Draw bars by reason, the most frequent on top, stacked by number of the attempt."""
    shown = list(reasons.items())[:_MOST_REASONS][::-1]
    figure, axes = make_axes(height_inches=0.9 + 0.26 * max(len(shown), 2))
    names = [name for name, _ in shown]
    left = [0.0] * len(shown)
    parts = (("first attempt", _FIRST), ("second", _SECOND), ("third and later", _LATER))
    for number, (label, colour) in enumerate(parts):
        widths = [float(counts[number]) for _, counts in shown]
        axes.barh(names, widths, left=left, color=colour, label=label, height=0.7)
        left = [before + width for before, width in zip(left, widths, strict=True)]
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("rejected texts")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return make_svg(figure)


def quality(firsts: Sequence[Row[Any]]) -> str:
    """Draw the outcome of each generator's first texts, in percent: three bars each."""
    shown = firsts[:_MOST_MODELS][::-1]
    figure, axes = make_axes(height_inches=0.9 + 0.6 * max(len(shown), 1))
    parts = (
        ("accepted at once", _FIRST, "accepted"),
        ("grounded", _SECOND, "grounded"),
        ("near another text", _LATER, "duplicates"),
    )
    for number, (label, colour, name) in enumerate(parts):
        places = [place + 0.26 * (1 - number) for place in range(len(shown))]
        shares = [100 * getattr(each, name) / each.texts for each in shown]
        bars = axes.barh(places, shares, color=colour, label=label, height=0.24)
        axes.bar_label(bars, fmt="{:.1f} %", padding=4, fontsize=7, color=MUTED)
    axes.set_yticks(range(len(shown)), [f"{each.model} ({each.texts:,})" for each in shown])
    axes.set_xlim(0, 110)
    axes.set_xticks(range(0, 101, 20))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("% of the first texts")
    return make_svg(figure)


def costs(models: Sequence[Row[Any]]) -> str:
    """Draw each generator's euros for 1 000 accepted texts; one without any has no bar."""
    found = [
        (each.model, eur_per_1000(each.cost_eur, each.accepted)) for each in models[:_MOST_MODELS]
    ]
    shown = [(model, float(eur)) for model, eur in found[::-1] if eur is not None]
    figure, axes = make_axes(height_inches=0.9 + 0.3 * max(len(shown), 1))
    bars = axes.barh([model for model, _ in shown], [eur for _, eur in shown], color=_FIRST)
    axes.bar_label(bars, fmt="{:.4g} €", padding=4, fontsize=8, color=MUTED)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.15)
    axes.set_xlabel("€ for 1 000 accepted texts, refused ones included")
    return make_svg(figure)


def lengths(counts: Mapping[int, int], *, step: int) -> str:
    """Draw bars of the accepted texts by their length."""
    figure, axes = make_axes()
    middles = [start + step / 2 for start in counts]
    axes.bar(middles, list(counts.values()), width=step * 0.9, color=_FIRST)
    axes.set_xlabel("characters")
    axes.set_ylabel("texts")
    return make_svg(figure)


def throughput(minutes: Sequence[Row[Any]]) -> str:
    """Draw texts a minute, and the ideal: the busiest minute's calls at the mean latency."""
    figure, axes = make_axes()
    start = minutes[0].minute
    at = [(each.minute - start).total_seconds() / 60 for each in minutes]
    marker = "o" if len(minutes) <= _FEW_MINUTES else ""
    for name, colour in (("attempts", _SECOND), ("accepted", _FIRST)):
        counts = [getattr(each, name) for each in minutes]
        axes.plot(at, counts, color=colour, label=name, marker=marker)
    seconds = sum(each.at_work for each in minutes) * 60
    if seconds:
        mean_seconds = seconds / sum(each.attempts for each in minutes)
        busiest = max(each.at_work for each in minutes)
        label = f"ideal: {busiest:.1f} calls at once, {mean_seconds:.3f} s each"
        ideal = busiest * 60 / mean_seconds
        axes.axhline(ideal, color=MUTED, linestyle="--", linewidth=1, label=label)
    axes.set_xlabel(f"minutes since {start:%Y-%m-%d %H:%M} UTC")
    axes.set_ylabel("texts a minute")
    axes.set_ylim(bottom=0)
    return make_svg(figure)


def outcomes(counts: Mapping[str, int]) -> str:
    shown = list(counts.items())[::-1]
    figure, axes = make_axes(height_inches=0.9 + 0.28 * max(len(shown), 2))
    bars = axes.barh([name for name, _ in shown], [n for _, n in shown], color=_FIRST, height=0.7)
    axes.bar_label(bars, fmt="{:,.0f}", padding=4, fontsize=8, color=MUTED)
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.12)
    return make_svg(figure)
