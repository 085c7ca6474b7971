"""The commands, settings and probes of the manifests, tried with processes in place of containers.

What a cluster would add is replaced: folders of secrets by folders of the test, ports by free ones,
servers by those of the tests. Everything else is as the production overlay says it.
"""

import os
import re
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.local.postgres import RunningPostgres
from deploy.local.processes import free_port
from services.operator.roles.management import ManagementApi
from services.simulator.options import SimulatorOptions
from services.simulator.register.stock_files import write_stock
from shared.http.egress import Egress
from shared.roles.broker_users import BROKER_USERS
from shared.roles.privileges import ROLES, USERS
from tests.integration.deploy.kubernetes.manifests import (
    COMMANDS,
    JOBS,
    ROOT,
    SERVICES,
    built,
    pod_of,
)
from tests.integration.writer.stock.web import serving
from tests.role_logins import RoleLogins
from tests.servers.rabbitmq_admin import RabbitmqServer
from tests.system.conftest import wait_for

_PROJECT = ROOT.parents[1]
_DOCKERFILE = (ROOT.parent / "Dockerfile").read_text("utf-8")
_MOUNTED = "/run/secrets"


def _by_the_image(name: str) -> tuple[list[str], list[str]]:
    """Return the entry point and the arguments of an image that the Dockerfile makes."""
    stages = dict(
        re.findall(r"^FROM \S+ AS (\S+)\n((?:(?!FROM ).*\n)*)", _DOCKERFILE, re.MULTILINE)
    )
    [(base, _)] = re.findall(rf"^FROM (\S+) AS ({name})$", _DOCKERFILE, re.MULTILINE)
    said = stages[name] if "ENTRYPOINT" in stages[name] else stages[base] + stages[name]
    entry = re.findall(r"^ENTRYPOINT (.+)$", said, re.MULTILINE)[-1]
    arguments = re.findall(r"^CMD (.+)$", said, re.MULTILINE)[-1]
    return yaml.safe_load(entry), yaml.safe_load(arguments)


@dataclass
class Cluster:
    """Starts the containers of the production overlay as processes."""

    folder: Path
    secrets: dict[str, str]
    # Settings of the test in place of those of the manifests.
    replaced: dict[str, str]
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for document in yaml.safe_load_all(built("production")):
            if document["kind"] == "ConfigMap" and document["metadata"]["name"] != "boards":
                self.settings |= {
                    name: value for name, value in document["data"].items() if name.isupper()
                }
            if template := pod_of(document):
                self.pods[template["metadata"]["labels"]["app"]] = template["spec"]

    def start(self, app: str, container: dict[str, Any], *more: str) -> subprocess.Popen[bytes]:
        command = self._command(container)
        environment = self._environment(app, container)
        with (self.folder / f"{app}-{container['name']}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable if each == "python" else each for each in (*command, *more)],
                cwd=_PROJECT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.started.append(process)
        return process

    def run(self, app: str, *, seconds: float = 120) -> int:
        """Run the one container of a Job to its end."""
        [container] = self.pods[app]["containers"]
        return self.start(app, container).wait(timeout=seconds)

    def log(self, app: str, container: str = "service") -> str:
        return (self.folder / f"{app}-{container}.log").read_text("utf-8")

    def port(self, app: str, name: str) -> int:
        """Return the port that stands for this one of a pod."""
        [container] = self.pods[app]["containers"]
        [named] = [each for each in container["ports"] if each["name"] == name]
        own = {each["name"]: each["value"] for each in container.get("env", [])}
        numbers = {**self.settings, **own}
        [variable] = [each for each in numbers if numbers[each] == str(named["containerPort"])]
        return int(self.replaced[f"{app} {variable}"])

    def _command(self, container: dict[str, Any]) -> list[str]:
        entry, arguments = _by_the_image(container["image"].rpartition("/")[2].partition(":")[0])
        if "command" in container:
            return [*container["command"], *container.get("args", [])]
        return [*entry, *container.get("args", arguments)]

    def _environment(self, app: str, container: dict[str, Any]) -> dict[str, str]:
        assert container["envFrom"] == [{"configMapRef": {"name": _settings_name(container)}}]
        own = {each["name"]: each["value"] for each in container.get("env", [])}
        said = {**self.settings, **own}
        for name in said:
            if name.endswith("_PORT"):
                self.replaced.setdefault(f"{app} {name}", str(free_port()))
        mine = {
            name.removeprefix(f"{app} "): value
            for name, value in self.replaced.items()
            if " " not in name or name.startswith(f"{app} ")
        }
        inherited = {name: each for name, each in os.environ.items() if "SIRENADE" not in name}
        mark = {name: each for name, each in os.environ.items() if name == "SIRENADE_TEST_RUN"}
        seen = self._secrets_of(app)
        here = {name: value.replace(_MOUNTED, str(seen)) for name, value in said.items()}
        return {**inherited, **mark, **here, **mine, "PYTHONPATH": str(_PROJECT)}

    def _secrets_of(self, app: str) -> Path:
        """Return a folder with the files that the pod mounts."""
        folder = self.folder / "secrets" / app
        folder.mkdir(parents=True, exist_ok=True)
        [volume] = [each for each in self.pods[app]["volumes"] if each["name"] == "secrets"]
        for item in volume["secret"]["items"]:
            (folder / item["path"]).write_text(self.secrets[item["key"]], "utf-8")
        return folder


def _settings_name(container: dict[str, Any]) -> str:
    return str(container["envFrom"][0]["configMapRef"]["name"])


@pytest.fixture
def cluster(
    tmp_path: Path, postgres: RunningPostgres, rabbitmq: RabbitmqServer, rabbitmq_url: str
) -> Iterator[Cluster]:
    url = postgres.create_database("kubernetes")
    logins = RoleLogins(f"k{uuid.uuid4().hex[:12]}_", url)
    api = ManagementApi(rabbitmq_url, rabbitmq.admin.base_url, Egress())
    broker = urlsplit(rabbitmq_url)
    place = broker.netloc.rpartition("@")[2]
    secrets = {
        "admin_database_url": url,
        "shard_database_urls": "",
        "insee_key": "a-key",
        "archive_credentials": "",
        "backup_key": "a key that is long enough",
        **{f"{role}_password": f"{role}'s password" for role in ROLES},
        **{f"{role}_database_url": logins.url(role) for role in USERS},
    }
    for name, user in BROKER_USERS.items():
        api.make(logins.prefix + name, user, f"{name}s-password")
        login = f"{logins.prefix}{name}:{name}s-password@{place}"
        secrets[f"{name}_broker_url"] = broker._replace(netloc=login).geturl()
    replaced = {
        "SIRENADE_ROLE_PREFIX": logins.prefix,
        "SIRENADE_INSEE_URL": f"http://127.0.0.1:{free_port()}",
        "SIRENADE_ARCHIVE_URL": f"file://{tmp_path / 'store'}",
    }
    (tmp_path / "store").mkdir()
    cluster = Cluster(tmp_path, secrets, replaced)
    yield cluster
    for process in cluster.started:
        process.kill()
        process.wait(timeout=10)
    logins.drop()
    postgres.drop_database("kubernetes")


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}{path}", timeout=5
        ) as answer:  # loopback
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_manifests_start_the_whole_system_in_their_order(cluster: Cluster) -> None:
    assert cluster.pods.keys() == SERVICES | JOBS | COMMANDS
    # All is applied at once. Before the Jobs, each service waits.
    waiting = {
        app: cluster.start(app, cluster.pods[app]["initContainers"][0]) for app in sorted(SERVICES)
    }
    wait_for(lambda: "waiting: " in cluster.log("writer", "schema"), seconds=60, what="a wait")
    assert cluster.run("migrate") != 0, "the role of the owner is not there yet"
    assert cluster.run("roles") == 0, cluster.log("roles")
    assert all(each.poll() is None for each in waiting.values())
    assert cluster.run("migrate") == 0, cluster.log("migrate")
    for app, process in waiting.items():
        assert process.wait(timeout=60) == 0, cluster.log(app, "schema")
    running = {}
    for app in sorted(SERVICES):
        [container] = cluster.pods[app]["containers"]
        running[app] = cluster.start(app, container)
    for app in sorted(SERVICES):
        _is_ready_and_alive(cluster, app)
    assert _answers(cluster.port("portal", "http"), "/")
    _commands_do_their_work(cluster)
    for process in running.values():
        process.terminate()
    for app, process in running.items():
        grace = cluster.pods[app]["terminationGracePeriodSeconds"]
        assert process.wait(timeout=grace) == 0, cluster.log(app)


def _is_ready_and_alive(cluster: Cluster, app: str) -> None:
    [container] = cluster.pods[app]["containers"]
    port = cluster.port(app, container["livenessProbe"]["httpGet"]["port"])
    asked = container["readinessProbe"]["exec"]["command"]
    command = [sys.executable, *asked[1:], "--port", str(port)]

    def is_ready() -> bool:
        return (
            subprocess.run(command, cwd=_PROJECT, capture_output=True, check=False).returncode == 0
        )

    assert asked[0] == "python"
    wait_for(is_ready, seconds=90, what=f"{app} to be ready:\n{cluster.log(app)[-2000:]}")
    assert _answers(port, container["livenessProbe"]["httpGet"]["path"])


def _commands_do_their_work(cluster: Cluster) -> None:
    assert cluster.run("command") == 0, cluster.log("command")
    assert cluster.run("erasures") == 0, cluster.log("erasures")
    assert cluster.run("backup") == 0, cluster.log("backup")
    assert "backup " in cluster.log("backup")
    files = write_stock(cluster.folder, SimulatorOptions(establishments=50), format_="zip")
    [container] = cluster.pods["stock"]["containers"]
    with ExitStack() as served:
        for number, argument in enumerate(container["args"]):
            for file in files.values():
                if argument.endswith(f"/{file.path.name}"):
                    web = served.enter_context(serving(file.path.read_bytes()))
                    container["args"][number] = web.url
        assert not any("//files." in argument for argument in container["args"])
        assert cluster.run("stock") == 0, cluster.log("stock")
    assert "50" in cluster.log("stock")
