"""The boards after an import, in an outage, and with the operator dead: no value is an old one.

The pictures are left in `.local/boards`, for people to look at.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from deploy.local.processes import free_port
from deploy.prometheus.rules import ALERTS
from services.simulator.gateway.server import RunningServer
from services.simulator.options import SimulatorOptions
from shared.imports.orders import order_import
from shared.imports.progress import Progress
from shared.imports.scope import Scope
from tests.browser.boards import Sheet, dashboards, take_pictures
from tests.system.conftest import API, ROOT, Processes, wait_for
from tests.system.monitored import Target, prometheus_over

SERVICES = ("fetcher", "writer", "reviewer", "operator")
_SCRAPE_SECONDS = 5
_PICTURES = ROOT / ".local" / "boards"
ROWS = 800


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_boards_tell_the_truth_after_an_import_in_an_outage_and_without_an_operator(
    engine: Engine,
    tmp_path: Path,
    rabbitmq_url: str,
    make_processes: Callable[..., Processes],
    progress: Callable[[], Progress],
) -> None:
    options = SimulatorOptions(
        establishments=ROWS, departements=("33", "24"), requests_per_minute=60
    )
    insee = RunningServer(options)
    ports = {name: free_port() for name in SERVICES}
    processes = None
    for name, port in ports.items():
        made = make_processes(
            broker_url=rabbitmq_url,
            insee_url=insee.root + API,
            insee_requests_per_minute=60,
            insee_timeout_seconds=5,
            metrics_port=port,
        )
        made.start(name)
        processes = made if name == "operator" else processes
    assert processes is not None
    targets: list[Target] = [(name, port, "/metrics") for name, port in ports.items()]
    with ExitStack() as stack:
        url = stack.enter_context(prometheus_over(targets, tmp_path / "prometheus", rules=ALERTS))
        sheet = Sheet(url)
        _order(engine, "33")
        wait_for(
            lambda: progress().runs_open == 0 and progress().requests, seconds=400, what="rows"
        )
        wait_for(lambda: _shown(sheet, "Now") == [2], seconds=60, what="a board that moves")
        _look(url, "import")
        # An import that is ordered in an outage is named within 3 minutes.
        insee.stop()
        _order(engine, "24")
        wait_for(
            lambda: "SirenadeInseeDown" in _firing(sheet), seconds=180, what="the alert on INSEE"
        )
        _look(url, "outage")
        processes.kill("operator")
        wait_for(
            lambda: not sheet.values("sirenade_import_runs"), seconds=60, what="its series to end"
        )
        assert _shown(sheet, "Now") == []
        assert _shown(sheet, "Today is done in") == []
        _look(url, "operator dead")
        _nothing_is_old(sheet)


def _order(engine: Engine, departement: str) -> None:
    with engine.begin() as connection:
        order_import(connection, Scope(departements=[departement]))


def _firing(sheet: Sheet) -> set[str]:
    found = sheet.values('ALERTS{alertstate="firing"}')
    return {labels["alertname"] for labels, _ in found}


def _shown(sheet: Sheet, title: str) -> list[float]:
    for dashboard in dashboards():
        for panel in dashboard["panels"]:
            if panel["title"] == title:
                return [value for _, value in sheet.shown(panel)]
    raise AssertionError(title)


def _nothing_is_old(sheet: Sheet) -> None:
    """A metric that a panel reads is scraped now, or is not there."""
    for dashboard in dashboards():
        for panel in dashboard["panels"]:
            if panel["type"] in {"stat", "gauge", "bargauge"}:
                for target in panel["targets"]:
                    age = sheet.age_seconds(target["expr"])
                    assert age is None or age <= 2 * _SCRAPE_SECONDS + 1, panel["title"]


def _look(url: str, name: str) -> None:
    take_pictures(url, _PICTURES / name)
