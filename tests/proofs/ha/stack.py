"""A stack with three nodes of RabbitMQ, and a primary and a synchronous standby of PostgreSQL."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local import processes
from deploy.local.postgres import SUPERUSER, RunningPostgres, start_postgres
from deploy.local.simulator import simulator
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from tests.proofs.ha.names import Names
from tests.proofs.stack import DATABASE, Simulated, Stack, without_files
from tests.servers.postgres_standby import follow_at_once, start_standby, url_of
from tests.servers.rabbitmq import RunningRabbitmq
from tests.servers.rabbitmq_cluster import rabbitmq_cluster

NODES = 3


@dataclass
class Pair:
    """The two servers by their names; `primary` names the one that was promoted last."""

    servers: dict[str, RunningPostgres]
    primary: str = "db1"

    @property
    def standby(self) -> str:
        [name] = set(self.servers) - {self.primary}
        return name

    def restart(self, name: str) -> RunningPostgres:
        """Start a server that was killed as it was, not as a standby."""
        directory = self.servers[name].directory
        self.servers[name] = start_postgres(directory, name=name, end_with_parent=True)
        return self.servers[name]

    def rejoin(self, name: str) -> None:
        """Let a server that was killed follow the primary, which waits for it from then on."""
        primary = self.servers[self.primary]
        self.servers[name] = start_standby(primary, self.servers[name].directory, fsync=True)
        follow_at_once(primary)

    def end(self) -> None:
        for server in self.servers.values():
            processes.kill_all(processes.with_children(server.pid))
            processes.reap(server.process)


@dataclass
class ClusteredStack(Stack):
    """A stack of which `rabbitmq` is one node of several, and may be down."""

    @property
    def server_pids(self) -> dict[str, int]:
        others = {"rabbitmq": self.rabbitmq.pid} if self.rabbitmq.is_running() else {}
        insee = {} if self.insee is None else {"simulator": self.insee.pid}
        return {"postgres": self.postgres.pid, **others, **insee}


@dataclass
class HaStack:
    stack: Stack
    pair: Pair
    nodes: list[RunningRabbitmq]
    names: Names


@contextmanager
def run_ha_stack(
    directory: Path, *, settings: dict[str, str], insee: Simulated
) -> Iterator[HaStack]:
    """Start the servers in an emptied folder, with a migrated database and no service yet."""
    (directory / "logs").mkdir(parents=True)
    with ExitStack() as cleanup:
        for server in ("db1", "db2", "rabbitmq", "simulator"):
            cleanup.callback(shutil.rmtree, directory / server, ignore_errors=True)
        primary = start_postgres(directory / "db1", name="db1", end_with_parent=True)
        primary.create_database(DATABASE)
        standby = start_standby(primary, directory / "db2", fsync=True)
        pair = Pair({"db1": primary, "db2": standby})
        cleanup.callback(pair.end)
        follow_at_once(primary)
        url = url_of(list(pair.servers.values()), DATABASE)
        upgrade(url)
        nodes = cleanup.enter_context(rabbitmq_cluster(directory / "rabbitmq", NODES))
        simulated = cleanup.enter_context(simulator(directory / "simulator", **vars(insee)))
        names = Names(
            directory / "hosts", [*pair.servers, *(f"mq{n}" for n in range(1, NODES + 1))]
        )
        chosen = {
            "SIRENADE_DATABASE_URL": _database_url(pair),
            "SIRENADE_BROKER_URL": _broker_url(nodes),
            "SIRENADE_METRICS_PORT": "0",
            "SIRENADE_CLEAR_TEXT_HOSTS": ",".join(
                f"{name}.ha.invalid" for name in ("db1", "db2", "mq1", "mq2", "mq3")
            ),
            "SIRENADE_INSEE_URL": simulated.url,
            "SIRENADE_INSEE_KEY": "simulated",
            "SIRENADE_INSEE_REQUESTS_PER_MINUTE": str(insee.requests_per_minute),
            **names.environment,
            **settings,
        }
        environment = without_files(os.environ, chosen) | chosen
        engine = make_engine(url, application_name="sirenade-prove", pool_size=1)
        stack = ClusteredStack(directory, primary, nodes[0], simulated, engine, environment)
        cleanup.callback(stack.stop)
        cleanup.callback(engine.dispose)
        yield HaStack(stack, pair, nodes, names)


def _database_url(pair: Pair) -> str:
    places = ",".join(f"{name}.ha.invalid:{each.port}" for name, each in pair.servers.items())
    login = urlsplit(pair.servers["db1"].url).netloc.rpartition("@")[0]
    assert login.startswith(SUPERUSER)
    return f"postgresql://{login}@{places}/{DATABASE}"


def _broker_url(nodes: list[RunningRabbitmq]) -> str:
    return ";".join(
        node.url.replace("@127.0.0.1", f"@mq{number}.ha.invalid")
        for number, node in enumerate(nodes, 1)
    )
