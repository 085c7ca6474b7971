"""A dashboard: rows of panels, with what all dashboards share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana.panels import SOURCE, Panel

_COLUMNS = 24
_TAG = "sirenade"


@dataclass(frozen=True)
class PanelLine:
    """Panels side by side, 24 columns at most."""

    height: int
    panels: Sequence[Panel]


@dataclass(frozen=True)
class PanelRow:
    number: int
    title: str
    lines: Sequence[PanelLine]


def line(height: int, *panels: Panel) -> PanelLine:
    return PanelLine(height, panels)


def row(number: int, title: str, *lines: PanelLine) -> PanelRow:
    """`number` is the row's panel id."""
    return PanelRow(number, title, lines)


@dataclass(frozen=True)
class BoardVariable:
    """`values` is a Prometheus selector whose `name` label gives the choices."""

    name: str
    label: str
    values: str


@dataclass(frozen=True)
class Board:
    uid: str
    title: str
    text: str
    rows: Sequence[PanelRow]
    variables: Sequence[BoardVariable] = ()
    since: str = "now-3h"


def built(board: Board) -> model.Dashboard:
    builder = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.text)
        .tags([_TAG])
        .time(board.since, "now")
        .timezone("browser")
        .refresh("30s")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            dashboard.DashboardLink("Sirenade")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([_TAG])
            .as_dropdown(as_dropdown=False)
            .keep_time(keep_time=True)
        )
    )
    for variable in board.variables:
        builder.with_variable(_query_variable(variable))
    y = 0
    for row in board.rows:
        builder.with_row(
            dashboard.Row(row.title).id(row.number).grid_pos(_place(x=0, y=y, w=_COLUMNS, h=1))
        )
        y += 1
        for line in row.lines:
            x = 0
            for panel in line.panels:
                width = panel.width or _COLUMNS // len(line.panels)
                builder.with_panel(panel.built(x=x, y=y, width=width, height=line.height))
                x += width
            y += line.height
    return builder.build()


def _query_variable(variable: BoardVariable) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(variable.name)
        .label(variable.label)
        .query(f"label_values({variable.values}, {variable.name})")
        .datasource(SOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )


def _place(*, x: int, y: int, w: int, h: int) -> model.GridPos:
    return model.GridPos(h=h, w=w, x=x, y=y)


def annotations() -> list[dict[str, Any]]:
    """Return the marks that explain a bend in a curve; all of them are measured."""
    up = 'up{service=~"fetcher|writer|reviewer|operator"}'
    return [
        _mark(
            "Deploys",
            "purple",
            'count by (version) (sirenade_build_info{version!=""})'
            ' unless count by (version) (sirenade_build_info{version!=""} offset 1m)',
            title="version {{version}}",
        ),
        _mark(
            "Scaling",
            "orange",
            f"count by (service) ({up} == 1) != count by (service) (({up} offset 1m) == 1)",
            title="{{service}}: another number of replicas",
        ),
        _mark(
            "Runs ordered",
            "blue",
            "max(sirenade_import_last_order_timestamp_seconds) * 1000",
            title="a run was ordered",
            at_value=True,
        ),
        _mark(
            "Runs completed",
            "green",
            "max(sirenade_import_last_end_timestamp_seconds) * 1000",
            title="a run was completed",
            at_value=True,
        ),
    ]


def _mark(
    name: str, colour: str, expr: str, *, title: str, at_value: bool = False
) -> dict[str, Any]:
    """Make a mark; `at_value` takes the value as its time, in milliseconds."""
    source = {"type": SOURCE.type_val, "uid": SOURCE.uid}
    return {
        "name": name,
        "enable": True,
        "iconColor": colour,
        "datasource": source,
        "expr": expr,
        "step": "15s",
        "titleFormat": title,
        "useValueForTime": at_value,
        # Some versions of Grafana read the query here, others above.
        "target": {"expr": expr, "refId": "Anno", "interval": "15s"},
    }
