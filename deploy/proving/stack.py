"""Everything as in production, private: PostgreSQL, RabbitMQ, simulator, a process per service."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import processes
from deploy.local.places import PROJECT
from deploy.local.postgres import RunningPostgres, start_postgres
from deploy.local.rabbitmq import RunningRabbitmq, start_rabbitmq
from deploy.local.simulator import RunningSimulator, simulator
from shared.db.migrate import upgrade

DATABASE = "sirenade"


@dataclass
class Stack:
    """What runs; a process or a server that was killed can be started again."""

    directory: Path
    postgres: RunningPostgres
    rabbitmq: RunningRabbitmq
    insee: RunningSimulator
    database_url: str
    environment: dict[str, str] = field(repr=False)
    services: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.services.items()}

    @property
    def server_pids(self) -> dict[str, int]:
        """What the services stand on."""
        return {
            "postgres": self.postgres.pid,
            "rabbitmq": self.rabbitmq.pid,
            "simulator": self.insee.pid,
        }

    def start(self, name: str) -> None:
        """Start `fetcher-1` and the like."""
        self.services[name] = processes.start_server(
            [sys.executable, "-m", f"services.{name.partition('-')[0]}", "run"],
            log=self.logs / f"{name}.log",
            cwd=str(PROJECT),
            env=self.environment,
            parent_death_signal=signal.SIGTERM,
        )

    def kill(self, name: str) -> None:
        processes.kill_all([self.services[name].pid])
        processes.reap(self.services[name])

    def start_what_ended(self) -> int:
        """As a supervisor does: a service that starts while a server is away ends at once."""
        ended = [name for name, process in self.services.items() if process.poll() is not None]
        for name in ended:
            self.start(name)
        return len(ended)

    def kill_postgres(self) -> None:
        """SIGKILL to all of PostgreSQL, and a new start on the same port and data."""
        self.postgres.kill()
        self.postgres = start_postgres(
            self.directory / "postgres", name="proving", end_with_parent=True
        )

    def stop(self) -> None:
        """An orderly end of the services and PostgreSQL; what does not end in time is killed."""
        for process in self.services.values():
            process.terminate()
        left = processes.wait_until_gone((each.pid for each in self.services.values()), seconds=30)
        processes.kill_all(left)
        for process in self.services.values():
            processes.reap(process)
        self.postgres.stop()


def names(service: str, count: int) -> list[str]:
    return [f"{service}-{number}" for number in range(1, count + 1)]


@contextmanager
def run_stack(
    directory: Path, *, establishments: int, requests_per_minute: int, settings: dict[str, str]
) -> Iterator[Stack]:
    """Start the servers in an emptied folder, with a migrated database and no service yet.

    `settings` are environment variables of the services. Raises LocalServerError where a server
    does not start.
    """
    with ExitStack() as cleanup:
        (directory / "logs").mkdir(parents=True)
        postgres = start_postgres(directory / "postgres", name="proving", end_with_parent=True)
        cleanup.callback(postgres.stop)
        rabbitmq = start_rabbitmq(directory / "rabbitmq", end_with_parent=True)
        cleanup.callback(rabbitmq.stop)
        insee = cleanup.enter_context(
            simulator(
                directory / "simulator",
                establishments=establishments,
                requests_per_minute=requests_per_minute,
            )
        )
        if postgres.has_database(DATABASE):
            postgres.drop_database(DATABASE)
        url = postgres.create_database(DATABASE)
        upgrade(url)
        stack = Stack(
            directory,
            postgres,
            rabbitmq,
            insee,
            url,
            {
                **os.environ,
                "SIRENADE_DATABASE_URL": url,
                "SIRENADE_BROKER_URL": rabbitmq.url,
                "SIRENADE_INSEE_URL": insee.url,
                "SIRENADE_INSEE_KEY": "simulated",
                "SIRENADE_INSEE_REQUESTS_PER_MINUTE": str(requests_per_minute),
                "SIRENADE_METRICS_PORT": "0",
                **settings,
            },
        )
        cleanup.callback(stack.stop)
        yield stack
