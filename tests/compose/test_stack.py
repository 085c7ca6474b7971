"""Containers from nothing to a whole import, scaled in the middle of it."""

import json
import os
import subprocess
import time

import pytest
from sqlalchemy import Engine

from shared.imports.progress import Progress, read_progress
from shared.roles.broker_users import BROKER_USERS
from tests.compose.conftest import BUILD, ESTABLISHMENTS, Stack
from tests.system.conftest import assert_the_end_state_is_whole, column, wait_for

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]

SERVICES = ("fetcher", "writer", "reviewer", "operator")


def _progress(engine: Engine) -> Progress:
    with engine.connect() as connection:
        return read_progress(connection)


def _up(stack: Stack) -> float:
    """Start all services; return the seconds until all are healthy."""
    start = time.monotonic()
    stack.make("up")
    return time.monotonic() - start


def test_all_is_healthy_within_a_minute_from_wiped_volumes(stack: Stack) -> None:
    stack.compose("down", "--volumes", "--timeout", "20")
    seconds = _up(stack)
    print(f"from wiped volumes to healthy: {seconds:.1f} s")  # noqa: T201  worth seeing
    for service in (*SERVICES, "postgres", "rabbitmq", "simulator"):
        assert set(stack.health(service)) == {"healthy"}, service
    assert len(stack.health("reviewer")) == 2
    assert seconds < 60, f"the load of this machine was {os.getloadavg()}"


def test_containers_run_without_rights_and_their_settings_tell_no_secret(stack: Stack) -> None:
    _up(stack)
    ids = stack.compose("ps", "--quiet", *SERVICES).split()
    described = json.loads(_docker(stack, "inspect", *ids))
    text = json.dumps(described)
    for name in ("postgres_password", "writer_password", "admin_password", "insee_key"):
        assert stack.secret(name) not in text
    for container in described:
        assert container["Config"]["User"].split(":")[0] not in {"", "0", "root"}
        assert container["HostConfig"]["ReadonlyRootfs"] is True
        assert container["HostConfig"]["CapDrop"] == ["ALL"]
    logs = stack.compose("logs", "--no-color")
    assert stack.secret("writer_password") not in logs
    assert stack.secret("postgres_password") not in logs


def test_a_service_tells_the_version_that_its_image_was_built_with(stack: Stack) -> None:
    _up(stack)
    page = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9191/metrics').read())"
    for service in SERVICES:
        shown = stack.compose("exec", "-T", service, "python", "-c", page)
        assert f'sirenade_build_info{{version="{BUILD}"}} 1.0' in shown


def test_the_broker_has_its_definitions_and_no_guest(stack: Stack) -> None:
    _up(stack)
    ctl = ("exec", "-T", "--user", "rabbitmq", "rabbitmq", "rabbitmqctl", "-q", "--formatter=json")
    users = json.loads(stack.compose(*ctl, "list_users"))
    assert {user["user"] for user in users} == {
        "admin",
        *(f"sirenade_{role}" for role in BROKER_USERS),
    }
    policies = json.loads(stack.compose(*ctl, "list_policies", "-p", "sirenade"))
    assert [policy["name"] for policy in policies] == ["bounded"]
    queues = json.loads(stack.compose(*ctl, "list_queues", "-p", "sirenade", "name", "type"))
    assert queues
    assert {queue["type"] for queue in queues} == {"quorum"}


def test_each_service_is_logged_in_as_its_own_role(stack: Stack, engine: Engine) -> None:
    _up(stack)
    logins = column(
        engine,
        """SELECT DISTINCT usename || ' ' || application_name FROM pg_stat_activity
           WHERE application_name LIKE 'sirenade-%'""",
    )
    assert {f"sirenade_{service} sirenade-{service}" for service in SERVICES} <= {*logins}
    assert not [login for login in logins if login.startswith("sirenade ")]
    doctor = stack.make("doctor")
    assert "no service is a superuser" in doctor


def test_scaling_reviewers_in_mid_import_loses_nothing(stack: Stack, engine: Engine) -> None:
    _up(stack)
    importing = stack.start("import", "--departement", "33")
    try:
        wait_for(lambda: _progress(engine).avis_accepted > 0, seconds=120, what="the first texts")
        start = time.monotonic()
        stack.make("scale-reviewer", "N=12")
        wait_for(
            lambda: stack.health("reviewer") == ["healthy"] * 12, seconds=400, what="12 reviewers"
        )
        print(f"from 2 to 12 reviewers: {time.monotonic() - start:.1f} s")  # noqa: T201
        assert _progress(engine).runs_open == 1, "the import ended before it could be scaled"
        stack.make("scale-reviewer", "N=3")
        assert len(stack.health("reviewer")) == 3
        output, _ = importing.communicate(timeout=600)
    finally:
        importing.kill()
    assert importing.returncode == 0, output
    wait_for(
        lambda: _progress(engine).is_idle,
        seconds=300,
        what="the end of the texts",
    )
    assert stack.insee.quota()["http_429"] == 0
    # The same register, for the test to walk in one go.
    stack.change(SIMULATOR_REQUESTS_PER_MINUTE=1000)
    stack.compose("up", "--detach", "--wait", "simulator")
    assert_the_end_state_is_whole(engine, stack.insee, _progress(engine), kills=0, generators=10)
    assert column(engine, "SELECT count(*) FROM etablissements") == [ESTABLISHMENTS]
    assert column(engine, "SELECT count(*) FROM dead_letters") == [0]
    stack.make("run", "C=reconcile")


def test_a_number_of_replicas_lasts_through_a_later_start(stack: Stack) -> None:
    _up(stack)
    stack.make("scale-writer", "N=2")
    scaled = stack.compose("ps", "--quiet", "writer").split()
    assert len(scaled) == 2
    stack.compose("stop", "writer")
    _up(stack)
    assert len(stack.health("writer")) == 2
    # A later start changes no container.
    assert set(stack.compose("ps", "--quiet", "writer").split()) == set(scaled)


def test_a_service_whose_broker_is_away_is_unhealthy_until_it_is_back(stack: Stack) -> None:
    _up(stack)
    check = ("exec", "-T", "reviewer", "python", "-m", "shared.runtime.health")
    stack.compose("stop", "rabbitmq")
    try:
        wait_for(lambda: _fails(stack, *check), seconds=60, what="an unhealthy reviewer")
    finally:
        stack.compose("start", "rabbitmq")
    wait_for(lambda: not _fails(stack, *check), seconds=120, what="a healthy reviewer")


def _fails(stack: Stack, *arguments: str) -> bool:
    try:
        stack.compose(*arguments)
    except AssertionError:
        return True
    return False


def _docker(stack: Stack, *arguments: str) -> str:
    return subprocess.run(
        ["docker", *arguments], env=stack.environment, capture_output=True, text=True, check=True
    ).stdout
