"""An import from end to end, each service as its own role and user; people's commands as owner."""

import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine

from services.operator.roles.management import ManagementApi
from shared.http.egress import Egress
from shared.imports.progress import Progress
from shared.roles.broker_users import BROKER_USERS
from shared.roles.privileges import SERVICES
from tests.role_logins import RoleLogins
from tests.servers.rabbitmq_admin import RabbitmqServer
from tests.system.conftest import (
    ROOT,
    Processes,
    StartServices,
    assert_the_end_state_is_whole,
    column,
    wait_for,
    wait_for_the_end,
)

ESTABLISHMENTS = 600
GENERATORS = 5


def _sirenade(environment: dict[str, str], *arguments: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-m", "services.dispatch", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.timeout(300)
def test_an_import_goes_from_end_to_end_under_a_role_for_each_service(
    engine: Engine,
    role_logins: RoleLogins,
    rabbitmq: RabbitmqServer,
    rabbitmq_url: str,
    start_services: StartServices,
    progress: Callable[[], Progress],
) -> None:
    api = ManagementApi(rabbitmq_url, rabbitmq.admin.base_url, Egress())
    for name, user in BROKER_USERS.items():
        api.make(role_logins.prefix + name, user, f"{name}s-password")
    broker = urlsplit(rabbitmq_url)
    place = broker.netloc.rpartition("@")[2]

    def environment_of(role: str, user: str) -> dict[str, str]:
        login = f"{role_logins.prefix}{user}:{user}s-password@{place}"
        return {
            "SIRENADE_DATABASE_URL": role_logins.url(role),
            "SIRENADE_BROKER_URL": broker._replace(netloc=login).geturl(),
        }

    insee, processes = start_services(
        broker_url=rabbitmq_url,
        establishments=ESTABLISHMENTS,
        requests_per_minute=240,
        insee_rows_per_page=100,
        reviewer_generators=GENERATORS,
    )
    common = dict(processes.environment)
    for service in SERVICES:
        processes.environment = common | environment_of(service, service)
        if service == "operator":
            del processes.environment["SIRENADE_BROKER_URL"]
        processes.start(f"{service}-1")
    people = common | environment_of("migrate", "operator") | {"COLUMNS": "200"}
    _sirenade(people, "import", "--departement", "33")
    wait_for_the_end(progress, seconds=150)
    assert_the_end_state_is_whole(engine, insee, progress(), kills=0, generators=GENERATORS)
    wait_for(
        lambda: column(engine, "SELECT count(*) FROM jobs") == [7],
        seconds=30,
        what="the operator's jobs",
    )
    assert "zero difference" in _sirenade(people, "reconcile")
    _sirenade(people, "certify", "--departement", "33", "--content")
    _sirenade(people, "forget", column(engine, "SELECT siren FROM unites_legales LIMIT 1")[0])
    _assert_nobody_was_denied(processes)


def _assert_nobody_was_denied(processes: Processes) -> None:
    for name in processes.running:
        log = processes.log(name)
        for word in ("InsufficientPrivilege", "permission denied", "ACCESS_REFUSED", "Traceback"):
            assert word not in log, name
        assert '"loop failed"' not in log, name
        assert "superuser" not in log, name


def test_a_service_that_is_a_superuser_says_so(
    start_services: StartServices, rabbitmq_url: str
) -> None:
    _, processes = start_services(
        "operator-1", broker_url=rabbitmq_url, establishments=100, requests_per_minute=240
    )
    wait_for(
        lambda: "logged in as a superuser of PostgreSQL" in processes.log("operator-1"),
        seconds=60,
        what="the operator's word",
    )
