"""The compose files of the set-up that survives a server."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.unit.deploy.compose_files import FOLDER, ROOT, included

HA = FOLDER / "ha"
NODES = ("rabbitmq", "rabbitmq-2", "rabbitmq-3")


class _Loader(yaml.SafeLoader):
    """Reads compose's tags as their values."""


def _list(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_Loader.add_constructor("!override", _list)


@pytest.fixture(scope="module")
def servers() -> dict[str, Any]:
    text = (HA / "servers.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506  a safe loader
    return content


def test_all_that_stands_in_the_usual_set_up_is_there_and_the_further_servers_come_last() -> None:
    [include] = yaml.safe_load((HA / "compose.yaml").read_text(encoding="utf-8"))["include"]
    paths = [(HA / path).resolve() for path in include["path"]]
    assert paths == [*included(), HA / "servers.yaml"]


def test_each_node_of_the_cluster_is_known_to_the_others(servers: dict[str, Any]) -> None:
    told = (HA / "cluster.conf").read_text(encoding="utf-8")
    assert re.findall(r"nodes\.\d = rabbit@(\S+)", told) == list(NODES)
    for name in NODES:
        service = servers["services"][name]
        assert service["secrets"] == ["rabbitmq_cookie"]
        assert any(volume.endswith("20-cluster.conf:ro") for volume in service["volumes"])
        if name != "rabbitmq":
            assert service["hostname"] == name
            assert service["volumes"][0] == f"{name}:/var/lib/rabbitmq"
            assert service["ports"] == []


def test_the_two_postgresql_servers_look_at_each_other(servers: dict[str, Any]) -> None:
    pair = {
        name: servers["services"][name]["environment"] for name in ("postgres", "postgres-standby")
    }
    assert {name: each["PEER"] for name, each in pair.items()} == {
        "postgres": "postgres-standby",
        "postgres-standby": "postgres",
    }
    assert [each["BEGINS_AS"] for each in pair.values()] == ["primary", "standby"]


def test_every_file_of_the_set_up_is_there(servers: dict[str, Any]) -> None:
    for service in servers["services"].values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            if source.startswith(".") and ".secrets" not in source:
                assert (FOLDER / source).exists(), source
            elif not source.startswith("."):
                assert source in servers["volumes"]


@pytest.mark.parametrize("script", ["clustered.sh", "server.sh", "replication.sh"])
def test_the_scripts_are_bash(script: str) -> None:
    subprocess.run(["bash", "-n", str(HA / script)], check=True, cwd=ROOT)
