"""Runbooks say what to do on a bare server and in containers, one click from each alert."""

import json

import pytest

from deploy.grafana.layout import DASHBOARDS
from deploy.runbooks import BOARD, in_containers, number_of, read_runbooks
from tests.unit.deploy.prometheus.rules import read_alerts

_PANELS = {
    panel["id"]: panel
    for panel in json.loads((DASHBOARDS / f"{BOARD}.json").read_text(encoding="utf-8"))["panels"]
}


@pytest.mark.parametrize(
    ("bare", "contained"),
    [
        ("./sirenade status --once", 'make run C="status --once"'),
        ("systemctl status 'sirenade-*'", "make ps"),
        (
            "sudo rabbitmqctl list_queues -p sirenade",
            "docker compose exec rabbitmq rabbitmqctl list_queues -p sirenade",
        ),
        (
            "SELECT * FROM leases",
            'docker compose exec postgres psql -U sirenade -c "SELECT * FROM leases"',
        ),
        ("docker stats", None),
    ],
)
def test_a_command_has_a_form_for_containers(bare: str, contained: str | None) -> None:
    assert in_containers(bare) == contained


def test_every_runbook_is_a_panel_of_its_own() -> None:
    runbooks = read_runbooks()
    assert len({each.number for each in runbooks}) == len(runbooks)
    for each in runbooks:
        assert _PANELS[each.number]["title"] == each.title


def test_an_alert_and_what_it_fires_lead_to_its_panel() -> None:
    for alert in read_alerts():
        assert alert.annotations["runbook_url"].endswith(
            f"/d/{BOARD}?viewPanel={number_of(alert.name)}"
        )
        content = _PANELS[number_of(alert.name)]["options"]["content"]
        assert "*What to do:*" in content
        assert "](#" not in content
