"""The kinds of panel of the dashboards; each panel has a unit and a description."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.builders import gauge as gauges
from grafana_foundation_sdk.builders import stat as stats
from grafana_foundation_sdk.builders import text as texts
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import text as text_model

from deploy.grafana.links import runbooks_of

SOURCE = model.DataSourceRef(type_val="prometheus", uid="prometheus")
_LETTERS = "ABCDEFGH"
_UNKNOWN = "unknown"

AnyPanel = stats.Panel | gauges.Panel | bargauge.Panel | timeseries.Panel | texts.Panel


# Colours, each from a value upwards; the first has no lowest value.
Levels = Sequence[tuple[float | None, str]]
PLAIN: Levels = ((None, "blue"),)
# A single one is a fault.
NONE_IS_GOOD: Levels = ((None, "green"), (1, "red"))
NONE_IS_BAD: Levels = ((None, "red"), (1, "green"))
YES_NO = {"0": ("no", "red"), "1": ("yes", "green")}


def green_to(orange: float, red: float | None = None) -> Levels:
    """Colour the values from `orange` on, and those from `red` on."""
    return ((None, "green"), (orange, "orange"), *([] if red is None else [(red, "red")]))


@dataclass(frozen=True)
class Panel:
    """A panel of a dashboard.

    `number` is the id that links know: it stays when the panel moves. Panels of a line without a
    `width` share its columns equally. `words` give a value a name and a colour. It links to the
    runbooks of alerts that look at its metrics; `leads_to` is where a click on a value leads.
    """

    number: int
    title: str
    unit: str
    make: Callable[["Panel"], AnyPanel]
    width: int | None = None
    levels: Levels = PLAIN
    most: float | None = None
    decimals: int | None = None
    stacked: bool = False
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    text: str = ""
    queries: Mapping[str, str] = field(default_factory=dict)
    nothing: str | None = None
    leads_to: str | None = None

    def shows(
        self, text: str, queries: str | Mapping[str, str], *, nothing: str | None = None
    ) -> "Panel":
        """Complete the panel by its description and its expressions by legend.

        A legend may name labels of the result: {{outcome}}. One expression needs none. `nothing` is
        shown where a result is empty.
        """
        queries = {"": queries} if isinstance(queries, str) else queries
        return replace(self, text=text, queries=queries, nothing=nothing)

    def built(self, *, x: int, y: int, width: int, height: int) -> AnyPanel:
        panel = self.make(self)
        panel.id(self.number).title(self.title).description(self.text).unit(self.unit).min(0)
        panel.datasource(SOURCE).grid_pos(model.GridPos(h=height, w=width, x=x, y=y))
        steps = [model.Threshold(value=value, color=colour) for value, colour in self.levels]
        thresholds = dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE)
        panel.thresholds(thresholds.steps(steps))
        panel.links([_link(title, path) for title, path in runbooks_of(self.queries.values())])
        if self.leads_to is not None:
            panel.data_links([_link("Runbook", self.leads_to)])
        if self.most is not None:
            panel.max(self.most)
        if self.decimals is not None:
            panel.decimals(self.decimals)
        if self.nothing is not None:
            # The service that would know may be dead.
            panel.no_value(_or_unknown(self.nothing))
        if self.words:
            options = {
                value: model.ValueMappingResult(text=word, color=colour, index=place)
                for place, (value, (word, colour)) in enumerate(self.words.items())
            }
            panel.mappings([model.ValueMap(options=options)])
        for letter, (legend, query) in zip(_LETTERS, self.queries.items(), strict=False):
            target = prometheus.Dataquery().ref_id(letter).expr(query).datasource(SOURCE)
            target.legend_format(legend or "__auto")
            # A single value is that of this moment, or none: over a range, a series that has ended
            # would show its last value as if it were current.
            panel.with_target(target.range() if self.make is _graph else target.instant())
        return panel


@dataclass(frozen=True)
class MarkdownPanel:
    """A panel that shows Markdown."""

    number: int
    title: str
    text: str
    width: int | None = None

    def built(self, *, x: int, y: int, width: int, height: int) -> AnyPanel:
        page = texts.Panel().mode(text_model.TextMode.MARKDOWN).content(self.text)
        return (
            page.id(self.number)
            .title(self.title)
            .grid_pos(model.GridPos(h=height, w=width, x=x, y=y))
        )


def _or_unknown(nothing: str) -> str:
    return nothing if nothing == _UNKNOWN else f"{nothing}, or {_UNKNOWN}"


def _link(title: str, path: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).type(model.DashboardLinkType.LINK).url(path)


def _graph(panel: Panel) -> timeseries.Panel:
    graph = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(25 if panel.stacked else 8)
        .show_points(common_model.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_model.LegendDisplayMode.LIST)
            .placement(common_model.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_model.TooltipDisplayMode.MULTI)
            .sort(common_model.SortOrder.DESCENDING)
        )
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
    )
    if panel.stacked:
        graph.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL).group("A"))
    return graph


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False)


def _stat(panel: Panel) -> stats.Panel:
    several = len(panel.queries) > 1 or "{{" in next(iter(panel.queries))
    mode = common_model.BigValueTextMode
    return (
        stats.Panel()
        .reduce_options(_last())
        .color_mode(common_model.BigValueColorMode.VALUE)
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .justify_mode(common_model.BigValueJustifyMode.AUTO)
        .text_mode(mode.VALUE_AND_NAME if several else mode.VALUE)
    )


def _gauge(_panel: Panel) -> gauges.Panel:
    return gauges.Panel().reduce_options(_last()).show_threshold_markers(True)


def _bars(_panel: Panel) -> bargauge.Panel:
    return (
        bargauge.Panel()
        .reduce_options(_last())
        .orientation(common_model.VizOrientation.HORIZONTAL)
        .display_mode(common_model.BarGaugeDisplayMode.BASIC)
    )


graph = partial(Panel, make=_graph)
stat = partial(Panel, make=_stat)
gauge = partial(Panel, make=_gauge)
bars = partial(Panel, make=_bars)
