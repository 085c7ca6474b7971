"""The manifests of Kubernetes agree with the code and with the compose files."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from deploy.containers.bounds import size_bytes
from deploy.containers.settings_file import SCALED, most_replicas
from shared.db_url import normalise_url
from shared.messages import ReviewAvis, WriteSlice
from shared.roles.privileges import ROLES
from shared.runtime.service import STOP_GRACE_SECONDS
from tests.integration.deploy.kubernetes.manifests import (
    BASE,
    COMPONENTS,
    POLICIES,
    SERVICES,
    containers,
    documents,
    pod_of,
)
from tests.role_logins import RoleLogins, do
from tests.unit.deploy.compose_files import holds_a_secret, services


def _scaled(component: str) -> dict[str, dict[str, Any]]:
    return {
        document["metadata"]["name"]: document["spec"]
        for document in documents(COMPONENTS / component / "scaling.yaml")
        if document["kind"] in {"ScaledObject", "HorizontalPodAutoscaler"}
    }


def _container(service: str) -> dict[str, Any]:
    [deployment] = documents(BASE / f"{service}.yaml")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def test_every_file_is_among_the_resources() -> None:
    [kustomization] = documents(BASE / "kustomization.yaml")
    named = {*kustomization["resources"], *(patch["path"] for patch in kustomization["patches"])}
    assert named | {"kustomization.yaml"} == {path.name for path in BASE.iterdir()}


def test_scaling_goes_by_queues_that_exist_and_as_far_as_compose_does() -> None:
    for service, spec in _scaled("keda").items():
        assert spec["maxReplicaCount"] == most_replicas(service)
        assert spec["scaleTargetRef"]["name"] == service
        # A server that does not answer KEDA must not leave it without a number.
        assert spec["fallback"]["replicas"] == spec["minReplicaCount"]
    for service, spec in _scaled("cpu").items():
        assert spec["maxReplicas"] == most_replicas(service)
        assert spec["scaleTargetRef"]["name"] == service
    assert _scaled("cpu").keys() == _scaled("keda").keys()
    queues = {
        trigger["metadata"]["queueName"]
        for spec in _scaled("keda").values()
        for trigger in spec["triggers"]
        if trigger["type"] == "rabbitmq"
    }
    assert queues == {WriteSlice.QUEUE, ReviewAvis.QUEUE}


def _due(url: str) -> int:
    """Return what KEDA is told, as the role of readers."""
    [query] = [
        trigger["metadata"]["query"]
        for trigger in _scaled("keda")["reviewer"]["triggers"]
        if trigger["type"] == "postgresql"
    ]
    engine = create_engine(normalise_url(url))
    with engine.connect() as connection:
        counted = int(connection.scalar(text(query)))
    engine.dispose()
    return counted


_RUNNING = "status = 'running', paused_because = NULL"


@pytest.mark.parametrize(
    ("budget", "counted"),
    [
        (_RUNNING, 5),
        ("status = 'paused', paused_because = 'cap'", 0),
        ("status = 'paused', paused_because = 'asked'", 0),
        (f"{_RUNNING}, sample_ids = (SELECT array_agg(id) FROM avis WHERE siret LIKE '%1')", 1),
        (f"{_RUNNING}, renewals_per_day = 7", 3),
    ],
)
def test_a_text_that_may_not_begin_calls_for_no_reviewer(
    database_url: str, role_logins: RoleLogins, budget: str, counted: int
) -> None:
    """Three first texts and two renewals are due."""
    do(
        database_url,
        """INSERT INTO pro_localisations (siret, siren,
             activite_principale, code_commune, slug, status)
           SELECT '0000000000000' || n, '000000000', '56.10A', '33063', 'page-' || n, 'open'
           FROM generate_series(1, 5) AS n""",
        """INSERT INTO avis (pro_localisation_id, siret, siren, kind, facts_hash,
             outcome, renewal_rank)
           SELECT id, siret, siren, 'notice', '', 'pending', CASE WHEN id > 3 THEN 1 END
           FROM pro_localisations""",
        f"UPDATE review_budget SET {budget}",
    )
    assert _due(role_logins.url("reader")) == counted


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_pod_is_given_the_memory_that_compose_gives(service: str) -> None:
    limit = _container(service)["resources"]["limits"]["memory"].removesuffix("i").lower()
    compose = services()[service]["deploy"]["resources"]["limits"]["memory"]
    assert size_bytes(limit) == size_bytes(compose)


def _keys(document: dict[str, Any]) -> dict[str, str]:
    """Return the keys of the secret that a pod sees, by their place in it."""
    template = pod_of(document)
    assert template is not None
    volumes = template["spec"]["volumes"]
    [secret] = [volume["secret"] for volume in volumes if volume["name"] == "secrets"]
    return {item["path"]: item["key"] for item in secret["items"]}


def test_a_pod_has_the_secrets_of_its_own_role_that_it_uses() -> None:
    of_pods = {"fetcher": {"insee_key"}, "operator": {"archive_credentials"}}
    for service in (*SERVICES, "migrate"):
        [document] = documents(BASE / f"{service}.yaml")
        keys = _keys(document)
        assert keys.pop("database_url") == f"{service}_database_url"
        assert keys.pop("shard_database_urls") == "shard_database_urls"
        if service not in {"operator", "portal", "indexer", "migrate"}:
            assert keys.pop("broker_url") == f"{service}_broker_url"
        assert keys == {each: each for each in of_pods.get(service, ())}
    [document] = documents(BASE / "roles.yaml")
    keys = _keys(document)
    assert keys.pop("database_url") == "admin_database_url"
    assert keys.keys() == {"shard_database_urls", *(f"{role}_password" for role in ROLES)}
    [references] = [
        document["spec"]["secretTargetRef"]
        for document in documents(COMPONENTS / "keda" / "scaling.yaml")
        if document["kind"] == "TriggerAuthentication"
    ]
    for reference in references:
        assert reference["key"].startswith("reader_")


def test_commands_have_the_secrets_that_compose_gives_them() -> None:
    [patch] = documents(BASE / "command.yaml")
    mounted = services()["sirenade"]["secrets"]
    assert _keys(patch) == {
        (each if isinstance(each, str) else each["target"]): (
            each if isinstance(each, str) else each["source"]
        )
        for each in mounted
    }


def test_a_pod_has_no_rights_and_time_to_stop() -> None:
    [patch] = documents(BASE / "pod.yaml")
    grace = patch["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > STOP_GRACE_SECONDS
    checked = 0
    for path in BASE.glob("*.yaml"):
        for document in documents(path):
            template = pod_of(document) or {}
            if "securityContext" not in template.get("spec", {}):
                continue
            assert template["spec"]["securityContext"]["runAsNonRoot"] is True
            assert template["spec"]["automountServiceAccountToken"] is False
            for container in containers(template):
                checked += 1
                rights = container["securityContext"]
                assert rights["readOnlyRootFilesystem"] is True
                assert rights["allowPrivilegeEscalation"] is False
                assert rights["capabilities"] == {"drop": ["ALL"]}
    # The service and its wait, commands, roles, migrate.
    assert checked == 5


def test_what_can_be_scaled_is_drained_one_at_a_time() -> None:
    budgets = {document["metadata"]["name"] for document in documents(BASE / "disruption.yaml")}
    assert budgets == set(SCALED)


def test_the_network_lets_each_pod_do_what_it_needs_and_nothing_else() -> None:
    found = {each["metadata"]["name"]: each["spec"] for each in documents(BASE / "network.yaml")}
    chosen = {}
    for name, spec in found.items():
        [chosen_by] = spec["podSelector"]["matchExpressions"]
        assert (chosen_by["key"], chosen_by["operator"]) == ("app", "In")
        chosen[name] = set(chosen_by["values"])
    assert chosen == POLICIES
    assert _pods() <= chosen["nothing"] & chosen["database"]
    assert found["nothing"]["policyTypes"] == ["Ingress", "Egress"]
    assert {"ingress", "egress"} & found["nothing"].keys() == set()
    for name, spec in found.items():
        rules = [*spec.get("ingress", []), *spec.get("egress", [])]
        assert all(rule["ports"] for rule in rules), f"{name} opens every port"
    [scrape] = found["metrics"]["ingress"]
    [patch] = documents(BASE / "pod.yaml")
    [metrics] = patch["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert scrape["ports"] == [{"port": metrics["containerPort"]}]
    inside = found["internet"]["egress"][0]["to"][0]["ipBlock"]["except"]
    for address in ("10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254"):
        assert any(ip_address(address) in ip_network(block) for block in inside)


def test_no_pod_takes_a_secret_from_its_environment() -> None:
    """Secrets are files: an environment is seen in descriptions of pods, and in dumps."""
    for path in BASE.glob("*.yaml"):
        for document in documents(path):
            for container in containers(document):
                assert all("secretRef" not in each for each in container.get("envFrom", [])), path
                for variable in container.get("env", []):
                    assert "valueFrom" not in variable, path
                    assert not holds_a_secret(variable["name"]), path
    [kustomization] = documents(BASE / "kustomization.yaml")
    for generator in kustomization["configMapGenerator"]:
        names = [literal.partition("=")[0] for literal in generator["literals"]]
        assert [name for name in names if holds_a_secret(name)] == []


def _pods() -> set[str]:
    """Return what each pod of the base has as its label `app`."""
    templates = [pod_of(each) for path in BASE.glob("*.yaml") for each in documents(path)]
    labels = [
        each["metadata"].get("labels", {}) for each in templates if each and "metadata" in each
    ]
    return {each["app"] for each in labels if "app" in each}
