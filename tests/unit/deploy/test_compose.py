"""The bounds that all compose files keep together, and the settings that they pass on."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import services.fetcher.main
import services.operator.main
import services.portal.main
import services.reviewer.main
import services.writer.main
from deploy.containers import bounds
from deploy.containers.settings_file import SCALED, most_replicas
from services.fetcher.settings import FetcherSettings
from services.operator.console.settings import ConsoleSettings
from services.operator.settings import MonitorSettings, OperatorSettings
from services.portal.index.settings import IndexSettings
from services.portal.settings import PortalSettings
from services.reviewer.settings import ReviewerSettings
from services.writer.settings import StockSettings, WriterSettings
from shared.archive.settings import BackupSettings
from shared.roles.privileges import ROLES
from shared.runtime import service as running
from shared.settings import PREFIX
from tests.unit.deploy.compose_files import FOLDER, ROOT, holds_a_secret, included
from tests.unit.deploy.compose_files import services as read_services

OURS = (
    *("fetcher", "writer", "reviewer", "operator", "console", "portal", "indexer"),
    *("roles", "migrate", "simulator", "sirenade"),
)
_END_BY_THEMSELVES = {"roles", "migrate", "sirenade"}
WORKERS = ("fetcher", "writer", "reviewer", "operator")
PORTAL = ("portal", "indexer")
_WITHOUT_BROKER = ("operator", "migrate", "roles", *PORTAL)
_SETTINGS = {
    "console": {*ConsoleSettings.model_fields},
    "fetcher": {*FetcherSettings.model_fields},
    "writer": {*WriterSettings.model_fields},
    "reviewer": {*ReviewerSettings.model_fields},
    # Its jobs order work in PostgreSQL, without a broker.
    "operator": {*OperatorSettings.model_fields} - {"broker_url"},
    "portal": {*PortalSettings.model_fields},
    "indexer": {*IndexSettings.model_fields} - {"broker_url"},
    # RabbitMQ has its users from a file.
    "roles": {"database_url", "shard_database_urls", *(f"{role}_password" for role in ROLES)},
    # Commands read no more of the fetcher's settings than what they ask INSEE with.
    "sirenade": {
        *StockSettings.model_fields,
        *BackupSettings.model_fields,
        *MonitorSettings.model_fields,
        *(name for name in FetcherSettings.model_fields if name.startswith("insee_")),
        "fetcher_parallel_batches",
        "avis_providers_file",
    },
}
_FIXED_BY_THE_IMAGE = {
    "version",  # says what was built
}


@pytest.fixture(scope="module")
def containers() -> dict[str, Any]:
    return read_services()


def test_logs_stay_below_their_bound_at_the_largest_number_of_replicas(
    containers: dict[str, Any],
) -> None:
    most = {name: most_replicas(name) for name in SCALED}
    assert bounds.log_bytes(containers, most) <= bounds.MOST_LOG_BYTES
    # The reviewers of the proof of scaling are among them.
    assert most["reviewer"] >= 12


def test_the_init_of_a_container_can_stop_a_process_of_another_user(
    containers: dict[str, Any],
) -> None:
    """Without KILL a server whose entrypoint takes another user is killed at each stop."""
    changing = {
        name: container["cap_add"]
        for name, container in containers.items()
        if container.get("init") and "SETUID" in container.get("cap_add", ())
    }
    assert {"postgres", "rabbitmq"} <= changing.keys()
    assert [name for name, added in changing.items() if "KILL" not in added] == []


def test_every_container_has_bounded_logs_and_memory(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        assert container["logging"]["driver"] == "json-file", name
        assert set(container["logging"]["options"]) == {"max-size", "max-file"}, name
        assert bounds.size_bytes(container["deploy"]["resources"]["limits"]["memory"]), name


def test_connections_stay_within_twenty_at_default_replicas(containers: dict[str, Any]) -> None:
    wanted = sum(
        bounds.connections_of(name, each) for name, each in containers.items() if name not in PORTAL
    )
    assert wanted <= 20


def test_postgresql_has_connections_for_the_largest_number_of_replicas(
    containers: dict[str, Any],
) -> None:
    largest = read_services(
        {f"{name.upper()}_REPLICAS": str(most_replicas(name)) for name in SCALED}
    )
    wanted = sum(bounds.connections_of(name, each) for name, each in largest.items())
    assert wanted + 5 <= bounds.postgres_connections(containers["postgres"])


@pytest.mark.parametrize("name", WORKERS)
def test_the_connections_of_a_replica_are_those_that_its_code_opens(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in [each for each in os.environ if each.startswith("SIRENADE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SIRENADE_DATABASE_URL", "postgresql://sirenade@127.0.0.1/sirenade")
    monkeypatch.setenv("SIRENADE_BROKER_URL", "memory://")
    monkeypatch.setenv("SIRENADE_INSEE_KEY", "key")
    opened: list[int] = []

    def run(_name: str, _settings: object, _build: object, *, connections: int = 2) -> None:
        opened.append(connections)

    assert running.run_service.__kwdefaults__ == {"connections": 2}
    main = {
        "fetcher": services.fetcher.main,
        "writer": services.writer.main,
        "reviewer": services.reviewer.main,
        "operator": services.operator.main,
    }[name]
    monkeypatch.setattr(main, "run_service", run)
    main.main()
    # Chat servers are metered on two more.
    metering = 2 if name == "reviewer" else 0
    assert opened == [bounds.CONNECTIONS[name] - metering]


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_ours_may_do_nothing_that_it_need_not(
    name: str, containers: dict[str, Any]
) -> None:
    container = containers[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert "cap_add" not in container
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["init"] is True
    assert container["user"]


def test_every_container_drops_what_it_does_not_need(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        assert container["cap_drop"] == ["ALL"], name
        assert "privileged" not in container, name


@pytest.mark.parametrize("name", WORKERS)
def test_a_stop_is_given_longer_than_work_in_hand_may_take(
    name: str, containers: dict[str, Any]
) -> None:
    grace = containers[name]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > running.STOP_GRACE_SECONDS


def test_every_container_that_stays_is_asked_for_its_health(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        if name not in _END_BY_THEMSELVES:
            assert container["healthcheck"]["test"][0] == "CMD", name
            assert container["restart"] == "unless-stopped", name


def test_ports_are_open_on_this_machine_only_and_not_for_what_is_scaled(
    containers: dict[str, Any],
) -> None:
    for name, container in containers.items():
        assert all(port.startswith("127.0.0.1:") for port in container.get("ports", [])), name
        assert "container_name" not in container, name
    # Readers come to each replica of the portal: it has a range as long as they can be many.
    assert {name for name in SCALED if "ports" in containers[name]} == {"portal"}
    [ports] = containers["portal"]["ports"]
    first, last = ports.split(":")[1].split("-")
    assert int(last) - int(first) + 1 == most_replicas("portal")


def test_no_secret_is_in_a_compose_file(containers: dict[str, Any]) -> None:
    for name, container in containers.items():
        for variable in container.get("environment", {}):
            assert not holds_a_secret(variable), (name, variable)


def _secrets_of(container: dict[str, Any]) -> dict[str, str]:
    """Return the files that a container sees, by their place in it."""
    mounted = container.get("secrets", [])
    return dict(
        (each, each) if isinstance(each, str) else (each["target"], each["source"])
        for each in mounted
    )


@pytest.mark.parametrize("name", [*WORKERS, *PORTAL, "console", "migrate", "sirenade", "roles"])
def test_a_container_mounts_the_secrets_of_its_own_role_that_it_uses(
    name: str, containers: dict[str, Any]
) -> None:
    container = containers[name]
    secrets = _secrets_of(container)
    read = {
        str(path).removeprefix("/run/secrets/")
        for variable, path in container["environment"].items()
        if variable.endswith("_FILE") and str(path).startswith("/run/secrets/")
    }
    assert secrets.keys() == read
    role = {"sirenade": "migrate", "roles": "admin"}.get(name, name)
    assert secrets["database_url"] == f"{role}_database_url"
    broker = {
        **dict.fromkeys(("sirenade", "console"), "operator_broker_url"),
        **dict.fromkeys(_WITHOUT_BROKER),
    }
    assert secrets.get("broker_url") == broker.get(name, f"{name}_broker_url")


def test_roles_alone_logs_in_as_the_superuser_of_postgresql(containers: dict[str, Any]) -> None:
    with_it = {
        name
        for name, container in containers.items()
        if {"admin_database_url", "postgres_password"} & {*_secrets_of(container).values()}
    }
    assert with_it == {"postgres", "roles"}
    exporter = containers["postgres-exporter"]
    assert exporter["environment"]["DATA_SOURCE_USER"] == "sirenade_exporter"
    assert _secrets_of(exporter) == {"exporter_password": "exporter_password"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda each: each.stem)
def test_each_file_declares_the_secrets_that_it_mounts(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    mounted = {
        source
        for container in content["services"].values()
        for source in _secrets_of(container).values()
    }
    declared = content.get("secrets", {})
    assert mounted == declared.keys()
    assert all(each["file"] == f"../../.secrets/{name}" for name, each in declared.items())


@pytest.mark.parametrize("name", _SETTINGS)
def test_every_setting_can_be_set_in_its_container(name: str, containers: dict[str, Any]) -> None:
    given = set(containers[name]["environment"])
    variables = {each: f"{PREFIX}{each.upper()}" for each in _SETTINGS[name] - _FIXED_BY_THE_IMAGE}
    assert [
        each
        for each, variable in variables.items()
        if variable not in given and f"{variable}_FILE" not in given
    ] == []


def test_each_file_is_of_the_same_project_and_the_root_includes_them_all() -> None:
    files = set(FOLDER.glob("*.yaml"))
    for path in files:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["name"] == "sirenade", path
    assert files - set(included()) == {FOLDER / "common.yaml"}


def test_replicas_come_from_the_settings_that_scaling_writes() -> None:
    chosen = read_services({"REVIEWER_REPLICAS": "12"})
    assert bounds.replicas_of(chosen["reviewer"]) == 12


def test_the_broker_waits_longer_for_an_answer_than_any_actor_may_take() -> None:
    text = (ROOT / "deploy/rabbitmq/rabbitmq.conf").read_text(encoding="utf-8")
    [timeout_ms] = map(int, re.findall(r"^consumer_timeout = (\d+)$", text, re.MULTILINE))
    limits = re.findall(
        r"^_TIME_LIMIT_MS = ([\d_]+)$",
        "\n".join(path.read_text() for path in ROOT.glob("services/*/actors.py")),
        re.MULTILINE,
    )
    assert limits
    assert all(int(limit) < timeout_ms for limit in limits)
