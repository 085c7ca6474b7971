"""The style of every plot, and the plot as SVG for the page it stands in."""

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shared.controls import without_steering

INK, MUTED, GRID = "#1f2933", "#66737f", "#d9dfe4"
COLOURS = ("#2f6f9f", "#e0a030", "#4f8a5b", "#b8473d", "#7a5ea8", "#3a9aa0")
_WIDTH_INCHES = 7.2


def make_axes(*, height_inches: float = 2.8) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH_INCHES, height_inches), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=COLOURS)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.tick_params(colors=INK, labelsize=8, length=0)
    axes.grid(visible=True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.label.set(color=MUTED, fontsize=8)
    axes.yaxis.label.set(color=MUTED, fontsize=8)
    return figure, axes


def make_svg(figure: Figure) -> str:
    """Write the SVG, with a legend outside of the plot where something has a label."""
    [axes] = figure.axes
    if axes.get_legend_handles_labels()[0]:
        figure.legend(frameon=False, fontsize=8, loc="outside upper right", ncols=4)
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    # The lines before the element belong to a file of its own, not to a page.
    svg = written.getvalue()
    # Labels stand in comments as they are.
    return without_steering(svg[svg.index("<svg") :])
