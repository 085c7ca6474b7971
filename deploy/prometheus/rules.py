"""Prometheus' alert rules as YAML, made of the declared conditions."""

import textwrap
from pathlib import Path

import yaml

from deploy.runbooks import number_of, runbook_path
from shared.alerts import GROUPS, Condition

ALERTS = Path(__file__).with_name("alerts.yml")
# The same rules for the operator of Prometheus.
RESOURCE = Path(__file__).parents[1] / "kubernetes" / "components" / "monitoring" / "alerts.yaml"
_HEADER = """\
# Made of shared/alerts: change a rule there, then `make alerts`. Names, meaning and what to do:
# docs/operations.md, "Alerts"; cases: tests/.
#
# critical: work stands still, or something is wrong that nobody would notice otherwise.
# warning: the work goes on, and a person should look today.
#
# All operators show the same totals: take the max, never the sum. While totals cannot be read,
# their alerts are silent and SirenadeTotalsUnread fires. Links lead to the compose file's Grafana.
"""
_GRAFANA = "http://localhost:3000"


class _Labels(dict[str, str]):
    """A mapping that is written in one line."""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are."""


def _add_text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _add_labels(dumper: yaml.SafeDumper, value: _Labels) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)


_Dumper.add_representer(str, _add_text)
_Dumper.add_representer(_Labels, _add_labels)


def rules_as_yaml() -> str:
    """Return the content of alerts.yml; conditions without an expression are left out."""
    return _HEADER + _as_yaml({"groups": _groups()})


def resource_as_yaml() -> str:
    """Return the same rules as a resource of Kubernetes."""
    described = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "sirenade"},
        "spec": {"groups": _groups()},
    }
    return "# Made of shared/alerts by `make alerts`.\n" + _as_yaml(described)


def _groups() -> list[dict[str, object]]:
    return [
        {"name": name, "rules": [_rule(each) for each in conditions if each.expression]}
        for name, conditions in GROUPS.items()
    ]


def _as_yaml(value: object) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=100)


def _rule(condition: Condition) -> dict[str, object]:
    expression = textwrap.dedent(condition.expression).strip()
    return {
        "alert": condition.name,
        "expr": expression + ("\n" if "\n" in expression else ""),
        **({"for": condition.hold} if condition.hold else {}),
        # The board of alerts leads by it to the runbook.
        "labels": _Labels(
            severity=condition.severity, runbook_panel=str(number_of(condition.name))
        ),
        "annotations": {
            "summary": condition.summary,
            "runbook": f"docs/operations.md#{condition.name.lower()}",
            "runbook_url": _GRAFANA + runbook_path(condition.name),
            "dashboard": f"{_GRAFANA}/d/{condition.dashboard}",
        },
    }
