"""Prometheus' alert rules as YAML, made of the declared conditions."""

import textwrap
from pathlib import Path

import yaml

from shared.alerts import GROUPS, Condition

ALERTS = Path(__file__).with_name("alerts.yml")
_HEADER = """\
# Made of shared/alerts: change a rule there, then `make alerts`. Names, meaning and what to do:
# docs/operations.md, "Alerts"; cases: tests/.
#
# critical: work stands still, or something is wrong that nobody else would notice.
# warning: it still works, and somebody should look today.
#
# The operator's totals are the same in all operators: max, never sum. Where the totals cannot be
# read their alerts are silent, and SirenadeTotalsUnread speaks. Links to dashboards are those of
# the compose file's Grafana.
"""
_DASHBOARDS = "http://localhost:3000/d"


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are."""


def _add_text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _add_text)


def rules_as_yaml() -> str:
    """Return the content of alerts.yml; conditions without an expression are left out."""
    groups = [
        {"name": name, "rules": [_rule(each) for each in conditions if each.expression]}
        for name, conditions in GROUPS.items()
    ]
    return _HEADER + yaml.dump({"groups": groups}, Dumper=_Dumper, sort_keys=False, width=100)


def _rule(condition: Condition) -> dict[str, object]:
    expression = textwrap.dedent(condition.expression).strip()
    return {
        "alert": condition.name,
        "expr": expression + ("\n" if "\n" in expression else ""),
        **({"for": condition.hold} if condition.hold else {}),
        "labels": {"severity": condition.severity},
        "annotations": {
            "summary": condition.summary,
            "runbook": f"docs/operations.md#{condition.name.lower()}",
            "dashboard": f"{_DASHBOARDS}/{condition.dashboard}",
        },
    }
