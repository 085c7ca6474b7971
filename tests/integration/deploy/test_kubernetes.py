"""What Kubernetes is told agrees with the code and with the compose files."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, text

from deploy.containers.bounds import size_bytes
from deploy.containers.scaling import SCALED, most_replicas
from shared.db.engine import normalise_url
from shared.messages import ReviewAvis, WriteSlice
from shared.service import STOP_GRACE_SECONDS
from tests.unit.deploy.compose_files import services

BASE = Path(__file__).parents[3] / "deploy" / "kubernetes" / "base"


def _documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((BASE / name).read_text(encoding="utf-8")))


def _scaled() -> dict[str, dict[str, Any]]:
    return {
        document["metadata"]["name"]: document["spec"]
        for document in _documents("scaling.yaml")
        if document["kind"] == "ScaledObject"
    }


def _container(service: str) -> dict[str, Any]:
    [deployment] = _documents(f"{service}.yaml")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def test_every_file_is_among_the_resources() -> None:
    [kustomization] = _documents("kustomization.yaml")
    named = {*kustomization["resources"], *(patch["path"] for patch in kustomization["patches"])}
    assert named | {"kustomization.yaml"} == {path.name for path in BASE.iterdir()}


def test_scaling_goes_by_queues_that_exist_and_as_far_as_compose_does() -> None:
    for service, spec in _scaled().items():
        assert spec["maxReplicaCount"] == most_replicas(service)
        assert spec["scaleTargetRef"]["name"] == service
    queues = {
        trigger["metadata"]["queueName"]
        for spec in _scaled().values()
        for trigger in spec["triggers"]
        if trigger["type"] == "rabbitmq"
    }
    assert queues == {WriteSlice.QUEUE, ReviewAvis.QUEUE}


def test_the_texts_that_are_due_are_counted_by_a_query_that_runs(database_url: str) -> None:
    [query] = [
        trigger["metadata"]["query"]
        for trigger in _scaled()["reviewer"]["triggers"]
        if trigger["type"] == "postgresql"
    ]
    engine = create_engine(normalise_url(database_url))
    with engine.connect() as connection:
        assert connection.scalar(text(query)) == 0
    engine.dispose()


@pytest.mark.parametrize("service", ["fetcher", "writer", "reviewer", "operator"])
def test_a_pod_is_given_the_memory_that_compose_gives(service: str) -> None:
    limit = _container(service)["resources"]["limits"]["memory"].removesuffix("i").lower()
    compose = services()[service]["deploy"]["resources"]["limits"]["memory"]
    assert size_bytes(limit) == size_bytes(compose)


def test_a_pod_has_no_rights_and_time_to_stop() -> None:
    [patch] = _documents("pod.yaml")
    pod = patch["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > STOP_GRACE_SECONDS
    assert pod["securityContext"]["runAsNonRoot"] is True
    rights = pod["containers"][0]["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["capabilities"] == {"drop": ["ALL"]}


def test_what_can_be_scaled_is_drained_one_at_a_time() -> None:
    budgets = {document["metadata"]["name"] for document in _documents("disruption.yaml")}
    assert budgets == set(SCALED)
