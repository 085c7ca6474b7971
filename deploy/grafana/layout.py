"""A dashboard: rows of panels, with what all dashboards share."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana.panels import SOURCE, AnyPanel, MarkdownPanel, Panel
from deploy.grafana.queries import ALL_SERVICES

DASHBOARDS = Path(__file__).parent / "dashboards"
_COLUMNS = 24
_TAG = "sirenade"


@dataclass(frozen=True)
class Row:
    """A row of a dashboard; `number` is its panel id. A folded one opens with a click."""

    number: int
    title: str
    lines: Sequence[tuple[int, Sequence[Panel | MarkdownPanel]]] = ()
    """Their heights and panels."""
    is_folded: bool = False

    def line(self, *panels: Panel | MarkdownPanel, height: int = 8) -> "Row":
        """Add panels side by side, 24 columns at most."""
        return replace(self, lines=(*self.lines, (height, panels)))


@dataclass(frozen=True)
class Board:
    """A dashboard; a variable's choices are the labels of its name in a Prometheus selector."""

    name: str
    text: str
    rows: Sequence[Row]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def uid(self) -> str:
        return f"sirenade-{self.name.lower()}"


def _built(board: Board) -> model.Dashboard:
    builder = (
        dashboard.Dashboard(f"Sirenade / {board.name}")
        .uid(board.uid)
        .description(board.text)
        .tags([_TAG])
        .time("now-3h", "now")
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
    for name, selector in board.variables.items():
        builder.with_variable(
            dashboard.QueryVariable(name)
            .label(name.capitalize())
            .query(f"label_values({selector}, {name})")
            .datasource(SOURCE)
            .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(model.VariableSort.ALPHABETICAL_ASC)
        )
    y = 0
    for row in board.rows:
        head = dashboard.Row(row.title).id(row.number).collapsed(row.is_folded)
        head.grid_pos(model.GridPos(x=0, y=y, w=_COLUMNS, h=1))
        y += 1
        panels, height = _placed(row, y)
        if row.is_folded:
            for panel in panels:
                head.with_panel(panel)
            builder.with_row(head)
            continue
        builder.with_row(head)
        for panel in panels:
            builder.with_panel(panel)
        y += height
    return builder.build()


def _placed(row: Row, top: int) -> tuple[list[AnyPanel], int]:
    """Return the panels of a row, from the line `top` down, and how many lines they take."""
    placed, y = [], top
    for height, panels in row.lines:
        x = 0
        for panel in panels:
            width = panel.width or _COLUMNS // len(panels)
            placed.append(panel.built(x=x, y=y, width=width, height=height))
            x += width
        y += height
    return placed, y - top


def _annotations() -> list[dict[str, Any]]:
    """Return the marks that explain a bend in a curve; all of them are measured."""
    up = f"up{ALL_SERVICES}"
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
    return {
        "name": name,
        "enable": True,
        "iconColor": colour,
        "datasource": {"type": SOURCE.type_val, "uid": SOURCE.uid},
        "expr": expr,
        "step": "15s",
        "titleFormat": title,
        "useValueForTime": at_value,
        # Some versions of Grafana read the query here, others above.
        "target": {"expr": expr, "refId": "Anno", "interval": "15s"},
    }


def panels_of(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all panels of a dashboard's JSON, those of folded rows too."""
    return [each for panel in dashboard["panels"] for each in (panel, *(panel.get("panels") or ()))]


def as_json(board: Board) -> str:
    """Return the board's JSON: a line for each panel, so that a change shows its panels."""
    model: dict[str, Any] = json.loads(json.dumps(_built(board), cls=JSONEncoder))
    # The SDK's type of an annotation lacks fields that Prometheus needs.
    model["annotations"] = {"list": _annotations()}
    panels = ",\n".join(_as_line(panel) for panel in model.pop("panels"))
    others = [f"{_as_line(name)}: {_as_line(model[name])}" for name in sorted(model)]
    return "{\n" + ",\n".join([*others, f'"panels": [\n{panels}\n]']) + "\n}\n"


def _as_line(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
