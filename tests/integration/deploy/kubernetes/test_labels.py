"""Boards and alerts find the pods by labels that the monitoring of Kubernetes gives them."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from deploy.grafana.layout import DASHBOARDS
from deploy.prometheus.rules import ALERTS, RESOURCE, resource_as_yaml
from shared.metrics import Metrics
from tests.integration.deploy.kubernetes.manifests import BASE, COMPONENTS, SERVICES, documents

# Prometheus' operator and Prometheus itself say these of a target.
_OF_TARGETS = {"job", "service", "instance", "namespace", "pod", "container", "endpoint", "node"}
_SERVERS = {"rabbitmq", "rabbitmq-queues", "postgres"}
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPED = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")


def _expressions() -> list[str]:
    """Return every expression of alerts and boards."""
    rules = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    found = [rule["expr"] for group in rules for rule in group["rules"]]
    for path in DASHBOARDS.glob("*.json"):
        found += _named(json.loads(path.read_text("utf-8")), "expr")
    return found


def _named(node: Any, name: str) -> list[str]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    own = [node[name]] if isinstance(node, dict) and isinstance(node.get(name), str) else []
    return own + [text for child in children for text in _named(child, name)]


def _given() -> set[str]:
    """Return the labels that the ServiceMonitor gives, from the label `app` of a pod."""
    [monitor] = documents(COMPONENTS / "monitoring" / "pods.yaml")
    [endpoint] = monitor["spec"]["endpoints"]
    for each in endpoint["relabelings"]:
        assert each["sourceLabels"] == ["__meta_kubernetes_pod_label_app"]
        assert each.keys() == {"sourceLabels", "targetLabel"}
    return {each["targetLabel"] for each in endpoint["relabelings"]}


def test_boards_and_alerts_use_no_label_of_a_target_but_those_that_are_given() -> None:
    expressions = _expressions()
    asked = {name for each in expressions for name, _, _ in _MATCHER.findall(each)}
    for each in expressions:
        for names in _GROUPED.findall(each):
            asked |= {name.strip() for name in names.split(",")}
    assert {"job", "service"} <= asked
    assert asked & _OF_TARGETS <= _given() | {"instance"}


def test_the_services_that_they_ask_for_are_pods() -> None:
    asked: set[str] = set()
    for each in _expressions():
        for name, _, value in _MATCHER.findall(each):
            if name in {"job", "service"} and not value.startswith("$"):
                asked |= {*value.split("|")}
    assert asked <= SERVICES | _SERVERS
    assert asked >= SERVICES


def test_no_metric_has_a_label_that_a_target_has() -> None:
    """Prometheus would call it exported_….

    It does not by the names that compose's targets have, so tests there would not see it.
    """
    own = {
        (sample.name, label)
        for family in Metrics().registry.collect()
        for sample in family.samples
        for label in sample.labels
    }
    assert {(name, label) for name, label in own if label in _OF_TARGETS} == set()


def test_the_monitor_selects_a_service_that_selects_every_pod_by_its_port() -> None:
    [monitor] = documents(COMPONENTS / "monitoring" / "pods.yaml")
    [endpoint] = monitor["spec"]["endpoints"]
    [chosen] = [
        each
        for each in documents(BASE / "service.yaml")
        if each["metadata"].get("labels") == monitor["spec"]["selector"]["matchLabels"]
    ]
    [port] = chosen["spec"]["ports"]
    assert port["name"] == endpoint["port"]
    [patch] = documents(BASE / "pod.yaml")
    template = patch["spec"]["template"]
    assert chosen["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    [own] = template["spec"]["containers"][0]["ports"]
    assert own["name"] == port["targetPort"]
    for service in SERVICES:
        [deployment] = documents(BASE / f"{service}.yaml")
        assert deployment["spec"]["template"]["metadata"]["labels"] == {"app": service}


def test_the_alerts_of_the_operator_are_those_of_compose() -> None:
    """`make alerts` writes both."""
    assert RESOURCE.read_text("utf-8") == resource_as_yaml()
    resource = yaml.safe_load(RESOURCE.read_text("utf-8"))
    assert resource["spec"] == yaml.safe_load(ALERTS.read_text("utf-8"))


def test_every_board_is_in_the_config_map() -> None:
    [kustomization] = documents(DASHBOARDS.parent / "kustomization.yaml")
    [generator] = kustomization["configMapGenerator"]
    named = {Path(each).name for each in generator["files"]}
    assert named == {path.name for path in DASHBOARDS.glob("*.json")}
