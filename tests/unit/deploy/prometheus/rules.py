"""The alerts and their cases, read from their files."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.prometheus.rules import ALERTS

ROOT = Path(__file__).parents[4]
PROMETHEUS = ALERTS.parent
CASES_FOLDER = Path(__file__).parent / "cases"
CASES = sorted(CASES_FOLDER.glob("*.yml"))

# Metrics of other exporters with their labels; tests/system/test_alerts.py looks at the real ones.
OF_OTHERS: dict[str, set[str]] = {
    "up": set(),
    "rabbitmq_detailed_queue_consumers": {"vhost", "queue"},
    "rabbitmq_detailed_queue_messages": {"vhost", "queue"},
    "rabbitmq_detailed_queue_messages_ready": {"vhost", "queue"},
    "rabbitmq_alarms_memory_used_watermark": set(),
    "rabbitmq_alarms_free_disk_space_watermark": set(),
    "rabbitmq_disk_space_available_bytes": set(),
    "pg_up": set(),
    "pg_stat_database_numbackends": {"datname"},
    "pg_settings_max_connections": {"server"},
}

_METRIC = re.compile(r"\b((?:sirenade|rabbitmq|pg)_\w+|up)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|on|group_left) \(([^)]*)\)")


def named_metrics(text: str) -> list[tuple[str, dict[str, str]]]:
    """Return each metric with its matchers: the value of `=` and `=~`, else an empty text."""
    return [
        (
            found[1],
            {
                label: value if how in {"=", "=~"} else ""
                for label, how, value in _MATCHER.findall(found[2] or "")
            },
        )
        for found in _METRIC.finditer(text)
    ]


@dataclass(frozen=True)
class Alert:
    name: str
    expression: str
    severity: str
    annotations: dict[str, str]

    @property
    def metrics(self) -> list[tuple[str, dict[str, str]]]:
        return named_metrics(self.expression)

    @property
    def grouped_by(self) -> set[str]:
        names = ", ".join(_GROUPING.findall(self.expression)).split(",")
        return {name.strip() for name in names if name.strip()}


@dataclass(frozen=True)
class Case:
    alert: str
    name: str
    fires: bool
    series: tuple[str, ...]


def read_alerts(path: Path = ALERTS) -> list[Alert]:
    groups = _read(path)["groups"]
    return [
        Alert(
            name=rule["alert"],
            expression=rule["expr"],
            severity=rule["labels"]["severity"],
            annotations=rule["annotations"],
        )
        for group in groups
        for rule in group["rules"]
    ]


def read_cases() -> list[Case]:
    return [
        Case(
            alert=asked["alertname"],
            name=test["name"],
            fires=bool(asked["exp_alerts"]),
            series=tuple(each["series"] for each in test["input_series"]),
        )
        for path in CASES
        for test in _read(path)["tests"]
        for asked in test["alert_rule_test"]
    ]


def write_apart(folder: Path) -> list[str]:
    """Write each case with the rules that it asks for alone; return the files.

    promtool evaluates every rule at every minute of each case.
    """
    rules = {rule["alert"]: rule for group in _read(ALERTS)["groups"] for rule in group["rules"]}
    files = []
    for path in CASES:
        content = _read(path)
        for number, test in enumerate(content["tests"]):
            asked = {each["alertname"] for each in test["alert_rule_test"]}
            alone = folder / f"{path.stem}-{number}-rules.yml"
            group = {"name": "asked", "rules": [rules[name] for name in sorted(asked)]}
            alone.write_text(json.dumps({"groups": [group]}), encoding="utf-8")
            file = folder / f"{path.stem}-{number}.yml"
            case = content | {"rule_files": [alone.name], "tests": [test]}
            file.write_text(json.dumps(case), encoding="utf-8")
            files.append(str(file))
    return files


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
