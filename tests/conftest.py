"""Real servers for the tests, started when a test first asks and gone when the run ends."""

import itertools
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from deploy.local import processes
from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL
from deploy.local.postgres import RunningPostgres, start_postgres
from shared.broker import ReliableBroker
from tests.servers.rabbitmq import RunningRabbitmq, start_rabbitmq
from tests.servers.rabbitmq_admin import RabbitmqServer, server_at

if TYPE_CHECKING:
    from tests.role_logins import RoleLogins

_TEMPLATE = "sirenade_template"
_MARK = "SIRENADE_TEST_RUN"
_CALM_SECONDS = 5.0
_LEFT = "sirenade_left_processes"
_LEFT_BY_WORKERS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow as well")
    parser.addoption(
        "--as-roles", action="store_true", help="run statements of services as their roles"
    )
    parser.addoption("--examples", type=int, default=200, help="cases of each test in tests/fuzz")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [] if "compose" in config.getoption("-m") else ["compose"]
    if config.getoption("--as-roles"):
        left_out.append("one_role")
    if not config.getoption("--slow") and "slow" not in config.getoption("-m"):
        left_out.append("slow")
    away = [item for item in items if any(map(item.get_closest_marker, left_out))]
    if away:
        items[:] = [item for item in items if not any(map(item.get_closest_marker, left_out))]
        config.hook.pytest_deselected(items=away)


def pytest_configure() -> None:
    os.environ[_MARK] = str(os.getpid())
    # That a machine is busy is no fault of what is tested.
    settings.register_profile(
        "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("any machine")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that leaves a live process behind, and end that process."""
    children = set(processes.with_children(os.getpid())) - {os.getpid()}
    marked = set(processes.processes_with(environment=f"{_MARK}={os.getpid()}"))
    left = processes.wait_until_gone(children | marked, seconds=2)
    described = [processes.describe(pid) for pid in left]
    processes.kill_all(left)
    if isinstance(output := getattr(session.config, "workeroutput", None), dict):
        # One of several runs side by side: the one that started them has the last word.
        output[_LEFT] = described
        return
    by_workers: list[str] = session.config.stash.setdefault(_LEFT_BY_WORKERS, [])
    described += by_workers
    if described:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            text = f"\nERROR: this run left live processes: {', '.join(described)}"
            reporter.write_line(text, red=True)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    left = getattr(node, "workeroutput", {}).get(_LEFT, [])
    node.config.stash.setdefault(_LEFT_BY_WORKERS, []).extend(left)


@pytest.fixture(scope="session")
def servers_directory() -> Iterator[Path]:
    """The folder of this run's servers, of its own so that several runs can go at once."""
    runs = LOCAL / "tests"
    runs.mkdir(parents=True, exist_ok=True)
    for stale in runs.iterdir():
        if stale.name.isdigit() and not processes.is_alive(int(stale.name)):
            shutil.rmtree(stale, ignore_errors=True)  # a parallel run may be at it too
    directory = runs / str(os.getpid())
    directory.mkdir(exist_ok=True)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres(servers_directory: Path) -> Iterator[RunningPostgres]:
    """The run's shared server: its data may be lost, so tests that kill start one of their own."""
    try:
        running = start_postgres(
            servers_directory / "postgres", name="tests", fsync=False, end_with_parent=True
        )
    except LocalServerError as error:
        pytest.fail(str(error), pytrace=False)
    yield running
    running.kill()
    shutil.rmtree(running.directory)


@pytest.fixture(scope="session")
def migrated_template(pytestconfig: pytest.Config, postgres: RunningPostgres) -> str:
    """The name of a database with every migration applied, to be cloned and never connected to."""
    from shared.db.migrate import upgrade  # noqa: PLC0415  tests without a database need none of it

    upgrade(url := postgres.create_database(_TEMPLATE))
    if pytestconfig.getoption("--as-roles"):
        from tests.role_logins import RoleLogins  # noqa: PLC0415  as above
        from tests.role_sessions import PREFIX, run_as_roles  # noqa: PLC0415  as above

        RoleLogins(PREFIX, url).apply()
        run_as_roles()
    return _TEMPLATE


@pytest.fixture(scope="session")
def _database_numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def database_url(
    pytestconfig: pytest.Config,
    postgres: RunningPostgres,
    migrated_template: str,
    _database_numbers: Iterator[int],
) -> Iterator[str]:
    """A fresh migrated database, dropped afterwards whoever is still connected."""
    name = f"test_{next(_database_numbers)}"
    url = postgres.create_database(name, template=migrated_template)
    if pytestconfig.getoption("--as-roles"):
        from tests.role_sessions import give_to_owner  # noqa: PLC0415  as above

        give_to_owner(postgres, name)
    yield url
    postgres.drop_database(name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that says `ON_TWO_SHARDS = True` on two shards as well."""
    marks = metafunc.definition.iter_markers("parametrize")
    if (
        getattr(metafunc.module, "ON_TWO_SHARDS", False)
        and "shard_urls" in metafunc.fixturenames
        and not any(mark.args[0] == "shard_urls" for mark in marks)
    ):
        metafunc.parametrize(
            "shard_urls",
            [1, pytest.param(2, marks=pytest.mark.slow)],
            ids=["one_shard", "two_shards"],
            indirect=True,
        )


@pytest.fixture
def shard_urls(
    request: pytest.FixtureRequest,
    postgres: RunningPostgres,
    migrated_template: str,
    database_url: str,
    _database_numbers: Iterator[int],
) -> Iterator[tuple[str, ...]]:
    """The databases of the register, one unless a test asks for more.

    The first is the control database as well.
    """
    from sqlalchemy import create_engine  # noqa: PLC0415  as above

    from shared.db.shards import take_place  # noqa: PLC0415  as above

    names = [f"test_{next(_database_numbers)}" for _ in range(getattr(request, "param", 1) - 1)]
    created = [postgres.create_database(name, template=migrated_template) for name in names]
    urls = (database_url, *created)
    for number, url in enumerate(urls):
        engine = create_engine(url)
        with engine.begin() as connection:
            take_place(connection, number, len(urls))
        engine.dispose()
    yield urls
    for name in names:
        postgres.drop_database(name)


@pytest.fixture
def role_logins(shard_urls: tuple[str, ...]) -> Iterator["RoleLogins"]:
    """The roles of the test's databases, each with its own login."""
    from tests.role_logins import RoleLogins  # noqa: PLC0415  as above

    logins = RoleLogins(f"t{uuid.uuid4().hex[:12]}_", *shard_urls)
    logins.apply()
    yield logins
    logins.drop()


@pytest.fixture(scope="session")
def _node(servers_directory: Path) -> Iterator[RunningRabbitmq]:
    try:
        node = start_rabbitmq(servers_directory / "rabbitmq", end_with_parent=True)
    except LocalServerError as error:
        pytest.fail(str(error), pytrace=False)
    yield node
    node.kill()


@pytest.fixture
def private_rabbitmq(_node: RunningRabbitmq) -> RunningRabbitmq:
    """A node that a test may kill and restart; up again whatever the test before did to it."""
    if not _node.is_running():
        try:
            _node.restart()
        except LocalServerError:
            # The data that one test has spoiled are no concern of the next one.
            shutil.rmtree(_node.directory / "data")
            _node.restart()
    return _node


@pytest.fixture
def rabbitmq(request: pytest.FixtureRequest) -> RabbitmqServer:
    """The server of SIRENADE_TEST_RABBITMQ_URL, else the run's private node; never to be killed."""
    if url := os.environ.get("SIRENADE_TEST_RABBITMQ_URL"):
        return server_at(url, os.environ.get("SIRENADE_TEST_RABBITMQ_MANAGEMENT_URL"))
    server: RabbitmqServer = request.getfixturevalue("private_rabbitmq")
    return server


@pytest.fixture
def rabbitmq_url(
    rabbitmq: RabbitmqServer, _retired: "list[_Retired]", monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A fresh vhost of the shared server."""
    # The pause is for servers that may be killed.
    monkeypatch.setattr(ReliableBroker, "settle_seconds", 0.0)
    with _fresh_vhost(rabbitmq, _retired) as url:
        yield url


@pytest.fixture
def private_rabbitmq_url(
    private_rabbitmq: RunningRabbitmq, _retired: "list[_Retired]"
) -> Iterator[str]:
    """A fresh vhost of the node that may be killed."""
    with _fresh_vhost(private_rabbitmq, _retired) as url:
        yield url


@dataclass(frozen=True)
class _Retired:
    """A vhost that its test is done with.

    RabbitMQ (3.10) breaks when quorum queues are deleted while their dead-letter workers start:
    it declares none any more until it restarts. So a vhost is left alone for a while.
    """

    server: RabbitmqServer
    vhost: str
    since: float

    def may_be_deleted(self) -> bool:
        since = self.since
        if isinstance(self.server, RunningRabbitmq):
            if not self.server.is_running():
                return False
            since = max(since, self.server.ready_since)
        return time.monotonic() - since > _CALM_SECONDS


@pytest.fixture(scope="session")
def _retired() -> Iterator[list[_Retired]]:
    retired: list[_Retired] = []
    yield retired
    for each in retired:
        if not isinstance(each.server, RunningRabbitmq):
            each.server.admin.delete_vhost(each.vhost)


@contextmanager
def _fresh_vhost(server: RabbitmqServer, retired: list[_Retired]) -> Iterator[str]:
    for each in [each for each in retired if each.may_be_deleted()]:
        each.server.admin.delete_vhost(each.vhost)
        retired.remove(each)
    vhost = f"test-{uuid.uuid4().hex[:12]}"
    server.admin.create_vhost(vhost)
    yield server.url_for(vhost)
    retired.append(_Retired(server, vhost, time.monotonic()))
