"""The manifests of Kubernetes agree with the code and with the compose files."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import create_engine, text

from deploy.containers.bounds import size_bytes
from deploy.containers.settings_file import SCALED, most_replicas
from shared.db_url import normalise_url
from shared.messages import ReviewAvis, WriteSlice
from shared.roles.privileges import ROLES
from shared.runtime.service import STOP_GRACE_SECONDS
from tests.environments import python_of
from tests.role_logins import RoleLogins
from tests.unit.deploy.compose_files import holds_a_secret, services

ROOT = Path(__file__).parents[4] / "deploy" / "kubernetes"
BASE = ROOT / "base"
OLDEST, NEWEST = "1.30", "1.37"
# Each policy of the network with the pods that it is for.
_WORKERS = {"fetcher", "writer", "reviewer", "operator", "portal", "indexer"}
_POLICIES = {
    "nothing": _WORKERS | {"roles", "migrate"},
    "metrics": _WORKERS,
    "database": _WORKERS | {"roles", "migrate"},
    "broker": {"fetcher", "writer", "reviewer"},
    "internet": {"fetcher", "reviewer", "operator", "indexer"},
    "readers": {"portal"},
}

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


def test_the_texts_that_are_due_are_counted_by_a_query_that_runs(role_logins: RoleLogins) -> None:
    [query] = [
        trigger["metadata"]["query"]
        for trigger in _scaled()["reviewer"]["triggers"]
        if trigger["type"] == "postgresql"
    ]
    engine = create_engine(normalise_url(role_logins.url("reader")))
    with engine.connect() as connection:
        assert connection.scalar(text(query)) == 0
    engine.dispose()


@pytest.mark.parametrize("service", sorted(_WORKERS))
def test_a_pod_is_given_the_memory_that_compose_gives(service: str) -> None:
    limit = _container(service)["resources"]["limits"]["memory"].removesuffix("i").lower()
    compose = services()[service]["deploy"]["resources"]["limits"]["memory"]
    assert size_bytes(limit) == size_bytes(compose)


def _keys(name: str) -> dict[str, str]:
    """Return the keys of the secret that a pod sees, by their place in it."""
    [document] = _documents(f"{name}.yaml")
    volumes = document["spec"]["template"]["spec"]["volumes"]
    [secret] = [volume["secret"] for volume in volumes if volume["name"] == "secrets"]
    return {item["path"]: item["key"] for item in secret["items"]}


def test_a_pod_has_the_secrets_of_its_own_role_that_it_uses() -> None:
    for service in (*_WORKERS, "migrate"):
        keys = _keys(service)
        assert keys.pop("database_url") == f"{service}_database_url"
        assert keys.pop("shard_database_urls") == "shard_database_urls"
        if service not in {"operator", "portal", "indexer", "migrate"}:
            assert keys.pop("broker_url") == f"{service}_broker_url"
        assert keys == ({"insee_key": "insee_key"} if service == "fetcher" else {})
    keys = _keys("roles")
    assert keys.pop("database_url") == "admin_database_url"
    assert keys.keys() == {"shard_database_urls", *(f"{role}_password" for role in ROLES)}
    [references] = [
        document["spec"]["secretTargetRef"]
        for document in _documents("scaling.yaml")
        if document["kind"] == "TriggerAuthentication"
    ]
    for reference in references:
        assert reference["key"].startswith("reader_")


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


def test_the_network_lets_each_pod_do_what_it_needs_and_nothing_else() -> None:
    documents = _documents("network.yaml")
    found = {document["metadata"]["name"]: document["spec"] for document in documents}
    chosen = {}
    for name, spec in found.items():
        [chosen_by] = spec["podSelector"]["matchExpressions"]
        assert (chosen_by["key"], chosen_by["operator"]) == ("app", "In")
        chosen[name] = set(chosen_by["values"])
    assert chosen == _POLICIES
    assert _pods() <= chosen["nothing"] & chosen["database"]
    assert found["nothing"]["policyTypes"] == ["Ingress", "Egress"]
    assert {"ingress", "egress"} & found["nothing"].keys() == set()
    for name, spec in found.items():
        rules = [*spec.get("ingress", []), *spec.get("egress", [])]
        assert all(rule["ports"] for rule in rules), f"{name} opens every port"
    [scrape] = found["metrics"]["ingress"]
    [metrics] = _documents("pod.yaml")[0]["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert scrape["ports"] == [{"port": metrics["containerPort"]}]
    inside = found["internet"]["egress"][0]["to"][0]["ipBlock"]["except"]
    for address in ("10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254"):
        assert any(ip_address(address) in ip_network(block) for block in inside)


def test_no_pod_takes_a_secret_from_its_environment() -> None:
    """Secrets are files: an environment is seen in descriptions of pods, and in dumps."""
    for path in BASE.glob("*.yaml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for container in _containers(document):
                assert all("secretRef" not in each for each in container.get("envFrom", [])), path
                for variable in container.get("env", []):
                    assert "valueFrom" not in variable, path
                    assert not holds_a_secret(variable["name"]), path
    [kustomization] = _documents("kustomization.yaml")
    for generator in kustomization["configMapGenerator"]:
        names = [literal.partition("=")[0] for literal in generator["literals"]]
        assert [name for name in names if holds_a_secret(name)] == []


def _pods() -> set[str]:
    """Return what each pod of the base has as its label `app`."""
    templates = [
        document["spec"]["template"]
        for path in BASE.glob("*.yaml")
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if "template" in document.get("spec", {})
    ]
    return {each["metadata"]["labels"]["app"] for each in templates if "labels" in each["metadata"]}


def _containers(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the containers of a manifest, whatever it is of."""
    if isinstance(node, dict):
        yield from node.get("containers", [])
        yield from node.get("initContainers", [])
        for each in node.values():
            yield from _containers(each)


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
    assert {tuple(json.loads(line)) for line in answer.stdout.splitlines()} == {
        ("ConfigMap", "settings"),
        ("Service", "portal"),
        ("Job", "migrate"),
        ("Job", "roles"),
        ("TriggerAuthentication", "servers"),
        *(("NetworkPolicy", name) for name in _POLICIES),
        *(("Deployment", name) for name in _WORKERS),
        *(("PodDisruptionBudget", name) for name in SCALED),
        *(("ScaledObject", name) for name in ("writer", "reviewer")),
    }
    for right, wrong in (
        ("pollingInterval: 15", "pollingIntervall: 15"),
        ("terminationGracePeriodSeconds: 90", "terminationGraceSeconds: 90"),
    ):
        assert right in built
        assert _validated(built.replace(right, wrong)).returncode == 1, wrong
