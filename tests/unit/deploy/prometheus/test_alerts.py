"""Alerts name only metrics that exist, say what to do, and fire when they should."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics_core import Metric

from deploy.grafana.boards import BOARDS
from deploy.prometheus.rules import ALERTS, rules_as_yaml
from deploy.runbooks import runbook_path
from services.operator.exporter import families
from shared.metrics import Metrics
from shared.roles.privileges import ROLES
from tests.servers.monitoring_binaries import find_or_fetch
from tests.unit.deploy.prometheus.rules import (
    CASES_FOLDER,
    OF_OTHERS,
    PROMETHEUS,
    ROOT,
    Alert,
    named_metrics,
    read_alerts,
    read_cases,
    write_apart,
)

_MANUAL = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
_ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
_SCRAPES = PROMETHEUS / "prometheus.yml"
# Prometheus adds these to each series.
_OF_SCRAPES = {"job", "instance", "service"}

every_alert = pytest.mark.parametrize("alert", read_alerts(), ids=lambda alert: alert.name)


def ours() -> dict[str, set[str]]:
    """Return Sirenade's metrics by the names in Prometheus, each with its labels."""
    known = {
        "sirenade_exporter_up": {"reading"},
        "sirenade_exporter_read_seconds": {"reading"},
        "sirenade_log_bytes": set[str](),
        **{family.name: set(family.labels) for family in (*families.WORK, *families.WHOLE)},
    }
    metrics = Metrics()
    declared = {
        collected._name: set(collected._labelnames)
        for collected in vars(metrics).values()
        if hasattr(collected, "_labelnames")
    }
    for metric in metrics.registry.collect():
        # A collector's family without a sample shows no labels.
        labels = declared.get(metric.name, {"pool"} if "_pool_" in metric.name else set())
        known |= dict.fromkeys(_names(metric), labels)
    return known


def scraped_jobs() -> set[str]:
    scrapes = yaml.safe_load(_SCRAPES.read_text(encoding="utf-8"))["scrape_configs"]
    return {scrape["job_name"] for scrape in scrapes}


def _names(metric: Metric) -> list[str]:
    if metric.type == "counter":
        return [f"{metric.name}_total"]
    if metric.type == "histogram":
        return [f"{metric.name}_{part}" for part in ("bucket", "count", "sum")]
    return [metric.name]


def values() -> dict[tuple[str, str], set[str]]:
    """Return the values of labels whose children exist from the start, by metric and label."""
    found: dict[tuple[str, str], set[str]] = {}
    for metric in Metrics().registry.collect():
        for sample in metric.samples:
            for label, value in sample.labels.items():
                found.setdefault((sample.name, label), set()).add(value)
    return found


def test_the_rules_are_what_the_declared_conditions_make() -> None:
    """`make alerts` writes them."""
    assert ALERTS.read_text(encoding="utf-8") == rules_as_yaml()


@every_alert
def test_an_alert_has_a_severity_a_summary_a_runbook_and_a_dashboard(alert: Alert) -> None:
    assert alert.severity in {"critical", "warning"}
    assert alert.annotations.keys() == {
        "summary",
        "runbook",
        "runbook_url",
        "dashboard",
    }
    assert alert.annotations["runbook_url"].endswith(runbook_path(alert.name))
    assert alert.annotations["summary"].endswith(".")
    page, _, dashboard = alert.annotations["dashboard"].rpartition("/d/")
    assert page
    assert dashboard in {board.uid for board in BOARDS}


@every_alert
def test_its_runbook_says_what_it_means_and_what_to_do(alert: Alert) -> None:
    page, _, anchor = alert.annotations["runbook"].partition("#")
    assert page == "docs/operations.md"
    assert anchor == alert.name.lower()
    found = re.search(rf"^### {alert.name}\n(.*?)(?=^##)", _MANUAL, re.MULTILINE | re.DOTALL)
    assert found is not None
    told = re.findall(r"^\*([A-Z][a-z ]+):\*", found[1], re.MULTILINE)
    assert told == ["Meaning", "Impact", "Diagnosis", "What to do"]


def test_the_manual_explains_no_alert_that_is_not_there_and_names_each_once() -> None:
    section = _MANUAL.split("\n## Alerts\n")[1].split("\n## ")[0]
    headings = Counter(re.findall(r"^### (\w+)$", section, re.MULTILINE))
    assert headings == Counter(alert.name for alert in read_alerts())


def test_every_link_within_the_manual_leads_to_a_heading() -> None:
    headings = re.findall(r"^#+ (.*)$", _MANUAL, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", _MANUAL)) <= anchors


@every_alert
def test_an_alert_names_only_metrics_and_labels_that_exist(alert: Alert) -> None:
    assert alert.metrics
    assert_exists(alert.metrics)
    known = {**OF_OTHERS, **ours()}
    labels = set().union(_OF_SCRAPES, {"le"}, *(known[name] for name, _ in alert.metrics))
    assert alert.grouped_by <= labels


def test_the_manual_names_only_metrics_and_labels_that_exist() -> None:
    roles = {f"sirenade_{role}" for role in ROLES}
    named = [
        each
        for each in named_metrics(_MANUAL)
        if each[0].startswith("sirenade_") and each[0] not in roles
    ]
    assert len(named) > 3
    assert_exists(named)


def assert_exists(named: list[tuple[str, dict[str, str]]]) -> None:
    known = {**OF_OTHERS, **ours()}
    first_values = values()
    for name, matchers in named:
        assert name in known
        for label, value in matchers.items():
            asked = set(value.split("|")) - {""}
            assert label in known[name] | _OF_SCRAPES, name
            if label == "job":
                assert asked <= scraped_jobs(), name
            if (name, label) in first_values and label != "name":
                assert asked <= first_values[name, label], name


def test_every_alert_has_a_case_in_which_it_speaks_and_one_in_which_it_is_quiet() -> None:
    cases = read_cases()
    expected = {(alert.name, fires) for alert in read_alerts() for fires in (True, False)}
    assert {(case.alert, case.fires) for case in cases} == expected


def test_a_quiet_case_has_what_its_alert_looks_at() -> None:
    """An alert without any series of its metrics would be quiet in any case."""
    looked_at = {alert.name: {name for name, _ in alert.metrics} for alert in read_alerts()}
    for case in read_cases():
        given = {series.partition("{")[0] for series in case.series}
        assert given & looked_at[case.alert], case.name
        assert given <= {**OF_OTHERS, **ours()}.keys(), case.name


def test_the_cases_come_out_as_they_say(tmp_path: Path) -> None:
    promtool = str(find_or_fetch("promtool"))
    _succeeds([promtool, "check", "rules", str(ALERTS)])
    _succeeds([promtool, "test", "rules", *write_apart(tmp_path)])


def test_prometheus_and_alertmanager_take_their_files() -> None:
    _succeeds([str(find_or_fetch("promtool")), "check", "config", str(_SCRAPES)])
    _succeeds([str(find_or_fetch("amtool")), "check-config", str(_ALERTMANAGER)])


def _succeeds(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_who_is_told_needs_no_secret_in_the_file_and_no_address_to_start() -> None:
    content = _ALERTMANAGER.read_text(encoding="utf-8")
    assert re.findall(r"(?:password|credentials|token|secret)\w*: \S+", content) == [
        "password_file: /run/secrets/smtp_password",
        "credentials_file: /run/secrets/alert_webhook_token",
    ]
    config = yaml.safe_load(content)
    receivers = {each["name"]: each for each in config["receivers"]}
    routed = {
        config["route"]["receiver"],
        *(each["receiver"] for each in config["route"]["routes"]),
    }
    assert [receivers[name] for name in routed] == [{"name": "page-only"}]
    assert {"mail", "webhook"} <= receivers.keys()


def test_what_is_inhibited_exists() -> None:
    named = re.findall(r"Sirenade\w+", _ALERTMANAGER.read_text(encoding="utf-8"))
    assert set(named) <= {alert.name for alert in read_alerts()}


def test_a_service_that_is_stopped_on_purpose_hides_nothing_but_its_own_queue() -> None:
    """A silence does not keep an alert from inhibiting others."""
    rules = yaml.safe_load(_ALERTMANAGER.read_text(encoding="utf-8"))["inhibit_rules"]
    hidden = [
        rule["target_matchers"]
        for rule in rules
        if "SirenadeServiceDown" in rule["source_matchers"][0]
        and re.search(r"reviewer|operator", " ".join(rule["source_matchers"]))
    ]
    assert hidden == [['alertname="SirenadeNoConsumers"', 'queue=~"sirene.review.*"']]
    assert all(
        len(rule["source_matchers"]) == 2
        for rule in rules
        if re.search("SirenadeSer", rule["source_matchers"][0])
    )


def test_a_rule_that_no_longer_speaks_is_noticed(tmp_path: Path) -> None:
    changed = ALERTS.read_text(encoding="utf-8").replace("> 650e6", "> 650e9")
    (tmp_path / "alerts.yml").write_text(changed, encoding="utf-8")
    cases = yaml.safe_load((CASES_FOLDER / "room.yml").read_text(encoding="utf-8"))
    cases["rule_files"] = ["alerts.yml"]
    cases["tests"] = [
        test
        for test in cases["tests"]
        if test["alert_rule_test"][0]["alertname"] == "SirenadeLogsAboveBudget"
    ]
    (tmp_path / "cases.yml").write_text(yaml.safe_dump(cases), encoding="utf-8")
    done = subprocess.run(
        [str(find_or_fetch("promtool")), "test", "rules", "cases.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "SirenadeLogsAboveBudget" in done.stdout + done.stderr
