"""Contact sheets of the dashboards: what each panel shows now, and how old its samples are.

`python -m tests.browser.boards PROMETHEUS_URL FOLDER` draws them without a Grafana: titles, values,
colours by level, and curves of the last half hour.
"""

import argparse
import html
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.grafana.check import PrometheusApi, substituted
from deploy.grafana.layout import DASHBOARDS, panels_of
from tests.browser.chromium import running_chromium

_BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "30m", "service": "fetcher"}
_METRIC = re.compile(r"\b(?:sirenade|rabbitmq|pg)_\w+")
_WINDOW_SECONDS, _STEP_SECONDS = 1800, 15
_COLUMN, _LINE = 60, 34
_MOST_VALUES = 12
_STYLE = """
body { background: #111217; color: #ccccdc; font: 13px sans-serif; margin: 12px; }
.board { position: relative; }
.panel { position: absolute; box-sizing: border-box; border: 1px solid #2c3235; padding: 4px 6px;
  overflow: hidden; background: #181b1f; }
.row { position: absolute; font-weight: bold; } b { display: block; font-size: 12px; }
.value { font-size: 15px; } .none { color: #888; } .age { color: #888; font-size: 10px; }
.old { color: #f2495c; } svg { width: 100%; height: 60%; }
"""


class Sheet:
    """The dashboards over a Prometheus at one moment."""

    def __init__(self, url: str) -> None:
        self._prometheus = PrometheusApi(url)

    def values(self, query: str) -> list[tuple[dict[str, str], float]]:
        found = self._prometheus.get("query", query=substituted(query, _BUILT_IN))
        return [
            (each["metric"], float(each["value"][1])) for each in found["data"].get("result", ())
        ]

    def age_seconds(self, query: str) -> float | None:
        """Return the age of the oldest of the newest samples that a query reads; None: of none."""
        ages = []
        for metric in set(_METRIC.findall(query)):
            ages += [age for _, age in self.values(f"time() - max(timestamp({metric}))")]
        return max(ages) if ages else None

    def shown(self, panel: dict[str, Any]) -> list[tuple[str, float]]:
        """Return what a panel of single values shows now, by legend."""
        found = []
        for target in panel.get("targets", ()):
            for labels, value in self.values(target["expr"]):
                named = target.get("legendFormat", "").replace("__auto", "")
                for label, word in labels.items():
                    named = named.replace(f"{{{{{label}}}}}", word)
                found.append((named, value))
        return found

    def curves(self, panel: dict[str, Any]) -> Iterator[list[tuple[float, float]]]:
        end = time.time()
        for target in panel.get("targets", ()):
            found = self._prometheus.get(
                "query_range",
                query=substituted(target["expr"], _BUILT_IN),
                start=end - _WINDOW_SECONDS,
                end=end,
                step=_STEP_SECONDS,
            )
            for each in found["data"].get("result", ()):
                yield [(float(at), float(value)) for at, value in each["values"]]

    def draw(self, dashboard: dict[str, Any]) -> str:
        panels = [panel for panel in panels_of(dashboard) if panel["type"] != "text"]
        bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
        drawn = "".join(self._panel(panel) for panel in panels)
        title = html.escape(dashboard["title"])
        return (
            f"<meta charset=utf-8><style>{_STYLE}</style><h2>{title}</h2>"
            f'<div class=board style="height:{bottom * _LINE}px">{drawn}</div>'
        )

    def _panel(self, panel: dict[str, Any]) -> str:
        place = panel["gridPos"]
        style = (
            f"left:{place['x'] * _COLUMN}px;top:{place['y'] * _LINE}px;"
            f"width:{place['w'] * _COLUMN - 4}px;height:{place['h'] * _LINE - 4}px"
        )
        title = html.escape(panel["title"] or "")
        if panel["type"] == "row":
            sign = "▸ (folded)" if panel.get("collapsed") else "▾"
            return f'<div class=row style="{style}">{sign} {title}</div>'
        content = self._graph(panel) if panel["type"] == "timeseries" else self._single(panel)
        return f'<div class=panel style="{style}"><b>{title}</b>{content}{self._age(panel)}</div>'

    def _single(self, panel: dict[str, Any]) -> str:
        defaults = panel["fieldConfig"]["defaults"]
        shown = self.shown(panel)
        if not shown:
            return (
                f"<div class='value none'>{html.escape(defaults.get('noValue') or 'no data')}</div>"
            )
        words = {
            key: word["text"]
            for mapping in defaults.get("mappings", ())
            for key, word in mapping["options"].items()
        }
        return "".join(
            f'<div class=value style="color:{_colour(defaults, value)}">'
            f"{html.escape(name)} {html.escape(words.get(f'{value:g}', f'{value:.4g}'))}"
            f" <small>{html.escape(defaults['unit'])}</small></div>"
            for name, value in shown[:_MOST_VALUES]
        )

    def _graph(self, panel: dict[str, Any]) -> str:
        curves = list(self.curves(panel))
        if not curves:
            return "<div class='value none'>no data</div>"
        end = time.time()
        top = max((value for curve in curves for _, value in curve), default=0.0) or 1.0
        lines = "".join(
            "<polyline fill=none stroke=#73bf69 stroke-width=.6 points='"
            + " ".join(
                f"{100 * (1 - (end - at) / _WINDOW_SECONDS):.2f},{40 - 39 * value / top:.2f}"
                for at, value in curve
            )
            + "'/>"
            for curve in curves
        )
        last = f"{len(curves)} curves, top {top:.4g}"
        return f"<svg viewBox='0 0 100 40' preserveAspectRatio=none>{lines}</svg>{last}"

    def _age(self, panel: dict[str, Any]) -> str:
        ages = [
            age
            for target in panel.get("targets", ())
            if (age := self.age_seconds(target["expr"])) is not None
        ]
        return f"<div class=age>samples {max(ages):.0f} s old</div>" if ages else ""


def _colour(defaults: dict[str, Any], value: float) -> str:
    colour = "white"
    for step in defaults["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            colour = step["color"]
    # Plain blue cannot be read on a dark ground.
    return "#8ab8ff" if colour == "blue" else colour


def dashboards() -> Iterator[dict[str, Any]]:
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        if any(panel.get("targets") for panel in panels_of(dashboard)):
            yield dashboard


def take_pictures(url: str, folder: Path) -> None:
    """Draw each dashboard that asks something into a PNG of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    sheet = Sheet(url)
    with running_chromium() as browser:
        page = browser.new_page(viewport={"width": 24 * _COLUMN + 40, "height": 900})
        for dashboard in dashboards():
            page.set_content(sheet.draw(dashboard))
            page.screenshot(path=folder / f"{dashboard['uid']}.png", full_page=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.boards", description=__doc__)
    parser.add_argument("url", help="of a Prometheus that scrapes a run")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    take_pictures(options.url, options.folder)


if __name__ == "__main__":
    main()
