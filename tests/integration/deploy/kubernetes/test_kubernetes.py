"""The manifests of Kubernetes agree with the code and with the compose files."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, text

from deploy.containers.bounds import size_bytes
from deploy.containers.settings_file import SCALED, most_replicas
from shared.db_url import normalise_url
from shared.messages import ReviewAvis, WriteSlice
from shared.runtime.service import STOP_GRACE_SECONDS
from tests.environments import python_of
from tests.unit.deploy.compose_files import services

ROOT = Path(__file__).parents[4] / "deploy" / "kubernetes"
BASE = ROOT / "base"
OLDEST, NEWEST = "1.30", "1.37"

# The schemas of Kubernetes and KEDA live in their own environment. KEDA's models drop unknown
# fields: the fields that they return are those that they know.
_VALIDATE = """
import json, sys, yaml, kubernetes_validate
from cloudcoil.models.keda import v1alpha1

for document in yaml.safe_load_all(sys.stdin):
    if document["apiVersion"].startswith("keda.sh/"):
        model = getattr(v1alpha1, document["kind"]).model_validate(document)
        taken = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
        assert taken == document, (taken, document)
    else:
        for version in sys.argv[1:]:
            kubernetes_validate.validate(document, version, strict=True)
    print(json.dumps([document["kind"], document["metadata"]["name"].partition("-")[0]]))
"""


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


def _built() -> str:
    """The production overlay, as it would be applied."""
    for program in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(program[0]):
            command = [*program, str(ROOT / "overlays" / "production")]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pytest.fail("neither kubectl nor kustomize is installed: install one of them", pytrace=False)


def _validated(manifests: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python_of("kubernetes")), "-c", _VALIDATE, OLDEST, NEWEST],
        input=manifests,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_is_applied_keeps_the_schemas_of_kubernetes_and_of_keda() -> None:
    built = _built()
    answer = _validated(built)
    assert answer.returncode == 0, answer.stderr[-2000:]
    services = {"fetcher", "writer", "reviewer", "operator"}
    assert {tuple(json.loads(line)) for line in answer.stdout.splitlines()} == {
        ("ConfigMap", "settings"),
        ("Job", "migrate"),
        ("TriggerAuthentication", "servers"),
        *(("Deployment", name) for name in services),
        *(("PodDisruptionBudget", name) for name in SCALED),
        *(("ScaledObject", name) for name in ("writer", "reviewer")),
    }
    for right, wrong in (
        ("pollingInterval: 15", "pollingIntervall: 15"),
        ("terminationGracePeriodSeconds: 90", "terminationGraceSeconds: 90"),
    ):
        assert right in built
        assert _validated(built.replace(right, wrong)).returncode == 1, wrong
