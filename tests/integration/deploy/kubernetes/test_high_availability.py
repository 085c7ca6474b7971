"""The overlay whose servers may each be lost."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[4] / "deploy" / "kubernetes" / "overlays" / "ha"


@pytest.fixture(scope="module")
def built() -> list[dict[str, Any]]:
    """Build as `kubectl apply` does; kubectl is there where the other manifests are checked."""
    command = ["kubectl", "kustomize", str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.slow
def test_each_server_has_others_beside_it_on_other_machines(built: list[dict[str, Any]]) -> None:
    kinds = {each["kind"]: each for each in built}
    broker, database = kinds["RabbitmqCluster"]["spec"], kinds["Cluster"]["spec"]
    assert broker["replicas"] == database["instances"] == 3
    assert "requiredDuringScheduling" in str(broker["affinity"])
    assert database["affinity"]["podAntiAffinityType"] == "required"
    assert database["postgresql"]["synchronous"] == {"method": "any", "number": 1}
    # The services are those of production, in one namespace with their servers.
    assert {"Deployment", "Job"} <= kinds.keys()
    namespaces = {each["metadata"].get("namespace") for each in built}
    assert namespaces <= {"sirenade", None}


def test_the_nodes_have_the_settings_of_those_in_containers() -> None:
    told = (FOLDER / "rabbitmq.yaml").read_text(encoding="utf-8")
    [node] = yaml.safe_load_all(told)
    settings = node["spec"]["rabbitmq"]["additionalConfig"].splitlines()
    usual = FOLDER.parents[2] / "rabbitmq" / "rabbitmq.conf"
    cluster = FOLDER.parents[2] / "compose" / "ha" / "cluster.conf"
    known = [*usual.read_text().splitlines(), *cluster.read_text().splitlines()]
    assert [line for line in settings if line not in known] == []
