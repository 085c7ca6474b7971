"""Committed dashboards are made by their code, and name only metrics that exist."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from deploy.grafana.boards import BOARDS
from deploy.grafana.check import PrometheusApi, Refused, faults_of
from deploy.grafana.layout import DASHBOARDS, Board, as_json, panels_of
from services.operator.exporter import families
from shared.metrics import Metrics

_PROVISIONING = DASHBOARDS.parent / "provisioning"
_OF_COLLECTORS = {
    "sirenade_exporter_up",
    "sirenade_exporter_read_seconds",
    "sirenade_log_bytes",
    *(family.name for family in (*families.WORK, *families.WHOLE)),
}

every_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)


def committed(board: Board) -> dict[str, Any]:
    path = DASHBOARDS / f"{board.uid}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def queries(dashboard: dict[str, Any]) -> list[str]:
    panels = [target["expr"] for each in panels_of(dashboard) for target in each.get("targets", [])]
    return [*panels, *(each["expr"] for each in dashboard["annotations"]["list"])]


@every_board
def test_what_is_committed_is_what_the_code_writes(board: Board) -> None:
    path = DASHBOARDS / f"{board.uid}.json"
    assert path.read_text(encoding="utf-8") == as_json(board), "run `make dashboards`"


def test_no_dashboard_is_left_over() -> None:
    assert {path.stem for path in DASHBOARDS.iterdir()} == {board.uid for board in BOARDS}


@every_board
def test_panels_have_an_id_a_unit_and_a_description_and_a_place_of_their_own(board: Board) -> None:
    panels = panels_of(committed(board))
    ids = Counter(panel["id"] for panel in panels)
    assert max(ids.values()) == 1
    cells: Counter[tuple[int, int]] = Counter()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        # A folded row takes one line.
        if panel in committed(board)["panels"]:
            cells.update(
                (place["x"] + x, place["y"] + y)
                for x in range(place["w"])
                for y in range(place["h"])
            )
        if panel["type"] not in {"row", "text"}:
            assert all(link["url"].startswith("/d/sirenade-runbooks") for link in panel["links"])
            assert panel["links"], panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["description"].endswith("."), panel["title"]
            assert panel["targets"], panel["title"]
            assert panel["datasource"]["uid"] == "prometheus"
    assert max(cells.values()) == 1


@every_board
def test_queries_name_only_metrics_that_exist(board: Board) -> None:
    named = set(re.findall(r"sirenade_\w+", " ".join(queries(committed(board)))))
    known = set(_OF_COLLECTORS)
    for metric in Metrics().registry.collect():
        if metric.type == "counter":
            known.add(f"{metric.name}_total")
        elif metric.type == "histogram":
            known |= {f"{metric.name}_{part}" for part in ("bucket", "count", "sum")}
        else:
            known.add(metric.name)
    assert named <= known


def test_grafana_finds_the_data_source_that_the_panels_name() -> None:
    sources = (_PROVISIONING / "datasources" / "prometheus.yml").read_text(encoding="utf-8")
    assert "\n    uid: prometheus\n" in sources
    folder = (_PROVISIONING / "dashboards" / "sirenade.yml").read_text(encoding="utf-8")
    assert "\n      path: /etc/grafana/dashboards\n" in folder


class Answers(PrometheusApi):
    """A Prometheus that gives the same answer to each query."""

    def __init__(self, *series: dict[str, Any], refused: str | None = None) -> None:
        super().__init__("http://nowhere")
        self._series = list(series)
        self._refused = refused

    def series(self, query: str) -> list[dict[str, Any]]:
        if self._refused is not None:
            raise Refused(self._refused)
        assert query
        return self._series

    def get(self, path: str, **parameters: object) -> dict[str, Any]:
        assert path
        assert parameters
        return {"data": ["fetcher"]}


def test_the_check_tells_what_is_wrong() -> None:
    panel = {"title": "P", "targets": [{"expr": "x", "legendFormat": "{{queue}}"}]}
    dashboard = {"panels": [panel], "annotations": {"list": []}}
    good, other = {"metric": {"queue": "q"}}, {"metric": {"actor": "a"}}
    assert list(faults_of(dashboard, Answers(good))) == []
    assert list(faults_of(dashboard, Answers())) == ["P: no data: x"]
    assert list(faults_of(dashboard, Answers(other))) == [
        "P: the result lacks the labels ['queue']"
    ]
    assert list(faults_of(dashboard, Answers(refused="parse error"))) == ["P: refused: parse error"]


@every_board
def test_a_single_value_is_never_an_old_one(board: Board) -> None:
    """Over a range, a series that ended an hour ago still has a last value."""
    for panel in panels_of(committed(board)):
        if panel["type"] in {"stat", "gauge", "bargauge"}:
            assert all(target.get("instant") for target in panel["targets"]), panel["title"]


@every_board
def test_an_empty_panel_never_tells_a_state_that_nobody_knows(board: Board) -> None:
    """An operator that is dead tells of no cap, and there may be one."""
    for panel in panels_of(committed(board)):
        told = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue")
        assert told is None or told.endswith("unknown"), panel["title"]
