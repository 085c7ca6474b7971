"""A private stack as in production: PostgreSQL, RabbitMQ, simulator, a process per service."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from deploy.local import processes
from deploy.local.folders import PROJECT
from deploy.local.postgres import RunningPostgres, start_postgres
from deploy.local.simulator import DEPARTEMENT, RunningSimulator, simulator
from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from shared.imports import orders
from shared.imports.scope import Scope
from tests.servers.rabbitmq import RunningRabbitmq, start_rabbitmq

DATABASE = "sirenade"


@dataclass(frozen=True)
class Simulated:
    """The simulator's establishments and its quota."""

    establishments: int
    requests_per_minute: int


@dataclass
class Stack:
    """The running servers and services; a killed one can be started again."""

    directory: Path
    postgres: RunningPostgres
    rabbitmq: RunningRabbitmq
    insee: RunningSimulator | None
    engine: Engine
    environment: dict[str, str] = field(repr=False)
    beside: dict[str, int] = field(default_factory=dict)
    """The pids of further servers to measure, by name."""
    services: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self.services.items()}

    @property
    def server_pids(self) -> dict[str, int]:
        """The pids of the servers that the services use, by name."""
        return {
            "postgres": self.postgres.pid,
            "rabbitmq": self.rabbitmq.pid,
            **({} if self.insee is None else {"simulator": self.insee.pid}),
            **self.beside,
        }

    def start(self, name: str) -> None:
        """Start one service by the name of its process, such as `fetcher-1`."""
        self.services[name] = self.start_module(name, f"services.{name.partition('-')[0]}", "run")

    def start_module(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a module of Python with the settings of the services, and a log of this name."""
        return processes.start_server(
            [sys.executable, "-m", *command],
            log=self.logs / f"{name}.log",
            cwd=str(PROJECT),
            env={**self.environment, processes.HOME_MARK: str(self.directory)},
            parent_death_signal=signal.SIGTERM,
        )

    def start_each(self, services: Iterable[str], count: int = 1) -> None:
        """Start this many processes of each service."""
        for service in services:
            for number in range(1, count + 1):
                self.start(f"{service}-{number}")

    def order_import(self, **limits: Any) -> int:
        """Order an import of the simulator's département and return its run's id."""
        with self.engine.begin() as connection:
            scope = Scope(departements=[DEPARTEMENT])
            return orders.order_import(connection, scope, **limits)

    def kill(self, name: str) -> None:
        processes.kill_all([self.services[name].pid])
        processes.reap(self.services[name])

    def start_what_ended(self) -> int:
        """Start and count ended services: one that starts while a server is away ends at once."""
        ended = [name for name, process in self.services.items() if process.poll() is not None]
        for name in ended:
            self.start(name)
        return len(ended)

    def kill_postgres(self) -> None:
        """Kill all of PostgreSQL, and start it again on the same port and data."""
        self.postgres.kill()
        self.postgres = start_postgres(
            self.directory / "postgres", name="proving", end_with_parent=True
        )

    def stop(self) -> None:
        """End the services and PostgreSQL in order; kill a service that does not end in time."""
        for process in self.services.values():
            process.terminate()
        left = processes.wait_until_gone((each.pid for each in self.services.values()), seconds=30)
        processes.kill_all(left)
        for process in self.services.values():
            processes.reap(process)
        self.postgres.stop()


@contextmanager
def run_stack(
    directory: Path, *, settings: dict[str, str], insee: Simulated | None = None
) -> Iterator[Stack]:
    """Start the servers in an emptied folder, with a migrated database and no service yet.

    `settings` are environment variables of the services; they name INSEE where `insee` is None.
    In the end logs alone are left: rows may be people's. Raises LocalServerError where a server
    does not start.
    """
    with ExitStack() as cleanup:
        (directory / "logs").mkdir(parents=True)
        for server in ("postgres", "rabbitmq", "simulator"):
            cleanup.callback(shutil.rmtree, directory / server, ignore_errors=True)
        postgres = start_postgres(directory / "postgres", name="proving", end_with_parent=True)
        cleanup.callback(postgres.stop)
        rabbitmq = start_rabbitmq(directory / "rabbitmq", end_with_parent=True)
        cleanup.callback(rabbitmq.stop)
        postgres.drop_database(DATABASE)
        url = postgres.create_database(DATABASE)
        upgrade(url)
        chosen = {
            "SIRENADE_DATABASE_URL": url,
            "SIRENADE_BROKER_URL": rabbitmq.url,
            "SIRENADE_METRICS_PORT": "0",
        }
        simulated = None
        if insee is not None:
            simulated = cleanup.enter_context(simulator(directory / "simulator", **vars(insee)))
            chosen |= {
                "SIRENADE_INSEE_URL": simulated.url,
                "SIRENADE_INSEE_KEY": "simulated",
                "SIRENADE_INSEE_REQUESTS_PER_MINUTE": str(insee.requests_per_minute),
            }
        chosen |= settings
        environment = without_files(os.environ, chosen) | chosen
        engine = make_engine(url, application_name="sirenade-prove", pool_size=1)
        stack = Stack(directory, postgres, rabbitmq, simulated, engine, environment)
        cleanup.callback(stack.stop)
        cleanup.callback(engine.dispose)
        yield stack


def without_files(inherited: Mapping[str, str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Leave out the `_FILE` twins of chosen variables: a real key would go to the simulator."""
    return {
        name: value
        for name, value in inherited.items()
        if name.removesuffix("_FILE") == name or name.removesuffix("_FILE") not in chosen
    }
