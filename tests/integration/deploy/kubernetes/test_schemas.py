"""The overlays keep the schemas of Kubernetes, of KEDA and of Prometheus' operator."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.containers.settings_file import SCALED
from tests.environments import python_of
from tests.integration.deploy.kubernetes.manifests import (
    COMMANDS,
    JOBS,
    OVERLAYS,
    POLICIES,
    ROOT,
    SERVICES,
    VERSION,
    built,
    containers,
)

OLDEST, NEWEST = "1.30", "1.37"

# The schemas of Kubernetes, KEDA and Prometheus' operator live in their own environment. The models
# of the latter two drop unknown fields: the fields that they return are those that they know. No
# package has the schemas of the servers' own operators.
_VALIDATE = """
import json, sys, yaml, kubernetes_validate
from cloudcoil.models.keda import v1alpha1
from cloudcoil.models.prometheus_operator import v1

models = {"keda.sh/v1alpha1": v1alpha1, "monitoring.coreos.com/v1": v1}
for document in yaml.safe_load_all(sys.stdin):
    if document["apiVersion"] in models:
        model = getattr(models[document["apiVersion"]], document["kind"]).model_validate(document)
        taken = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
        assert taken == document, (taken, document)
    elif not document["apiVersion"].startswith(("postgresql.cnpg.io/", "rabbitmq.com/")):
        for version in sys.argv[1:]:
            kubernetes_validate.validate(document, version, strict=True)
    print(json.dumps([document["kind"], document["metadata"]["name"]]))
"""


def _validated(manifests: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python_of("kubernetes")), "-c", _VALIDATE, OLDEST, NEWEST],
        input=manifests,
        capture_output=True,
        text=True,
        check=False,
    )


_ALWAYS = {
    ("ConfigMap", "release"),
    ("Namespace", "sirenade"),
    *(("Service", name) for name in ("portal", "metrics")),
    *(("Job", f"{name}-{VERSION}") for name in JOBS),
    *(("CronJob", name) for name in COMMANDS),
    *(("NetworkPolicy", name) for name in POLICIES),
    *(("Deployment", name) for name in SERVICES),
    *(("PodDisruptionBudget", name) for name in SCALED),
}
_OF_PRODUCTION = {
    ("ConfigMap", "boards"),
    ("PrometheusRule", "sirenade"),
    ("ServiceMonitor", "sirenade"),
    ("TriggerAuthentication", "servers"),
    *(("ScaledObject", name) for name in ("writer", "reviewer")),
}
_OF_OVERLAYS = {
    "production": _OF_PRODUCTION,
    "ha": _OF_PRODUCTION | {("Cluster", "postgres"), ("RabbitmqCluster", "rabbitmq")},
    "without-keda": {("HorizontalPodAutoscaler", name) for name in ("writer", "reviewer")},
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_applied_keeps_the_schemas_of_kubernetes_and_of_operators(overlay: str) -> None:
    manifests = built(overlay)
    answer = _validated(manifests)
    assert answer.returncode == 0, answer.stderr[-2000:]
    found = {tuple(json.loads(line)) for line in answer.stdout.splitlines()}
    [settings] = [each for each in found if each[1].startswith("settings-")]
    assert found - {settings} == _ALWAYS | _OF_OVERLAYS[overlay]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("pollingInterval: 15", "pollingIntervall: 15"),
        ("terminationGracePeriodSeconds: 90", "terminationGraceSeconds: 90"),
        ("concurrencyPolicy: Forbid", "concurrency: Forbid"),
        ("targetLabel: job", "targetLabels: job"),
    ],
)
def test_a_field_that_no_schema_knows_is_found(right: str, wrong: str) -> None:
    manifests = built("production")
    assert right in manifests
    assert _validated(manifests.replace(right, wrong)).returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_one_number_is_the_version_of_all_images_and_jobs(tmp_path: Path, overlay: str) -> None:
    """A Job cannot be changed: another version must have one of its own."""
    copy = shutil.copytree(ROOT.parent, tmp_path / "deploy") / "kubernetes"
    for release in copy.glob("overlays/*/release.yaml"):
        release.write_text(release.read_text("utf-8").replace(VERSION, "7.8.9"), "utf-8")
    found = [*yaml.safe_load_all(built(overlay, copy))]
    images = [container["image"] for document in found for container in containers(document)]
    assert images
    assert [image for image in images if not image.endswith(":7.8.9")] == []
    jobs = {each["metadata"]["name"] for each in found if each["kind"] == "Job"}
    assert jobs == {f"{name}-7.8.9" for name in JOBS}
