"""A private cluster of RabbitMQ nodes on this machine, which have one epmd."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path

from deploy.local import processes
from deploy.local.errors import LocalServerError
from tests.servers.rabbitmq import Ports, RunningRabbitmq, address_of, write_files
from tests.servers.rabbitmq_binaries import find_or_fetch_rabbitmq


@contextmanager
def rabbitmq_cluster(directory: Path, size: int = 3) -> Iterator[list[RunningRabbitmq]]:
    """Start the nodes in emptied folders, one after the other; end them after the block."""
    binaries = find_or_fetch_rabbitmq()
    password, cookie = secrets.token_urlsafe(18), secrets.token_hex(20)
    epmd_port = processes.free_port()
    nodes = []
    for number in range(1, size + 1):
        home = directory.absolute() / f"node-{number}"
        (home / "log").mkdir(parents=True)
        ports = Ports(*(processes.free_port() for _ in fields(Ports)))
        ports = replace(ports, epmd=epmd_port)
        url, admin = address_of(ports, password)
        nodes.append(
            RunningRabbitmq(
                url, admin, home, binaries, ports, end_with_parent=True, in_cluster=True
            )
        )
    members = "".join(
        f"cluster_formation.classic_config.nodes.{number} = sirenade{node.ports.amqp}@localhost\n"
        for number, node in enumerate(nodes, 1)
    )
    # A node that wakes on the smaller side of a partition joins the others again.
    further = f"cluster_partition_handling = pause_minority\n{members}"
    for node in nodes:
        write_files(node.directory, node.ports, password, cookie=cookie, further=further)
    with ExitStack() as cleanup:
        _start_epmd(nodes[0], cleanup)
        for node in nodes:
            cleanup.callback(node.kill)
            if not node.start():
                raise LocalServerError(f"RabbitMQ does not start: see {node.directory / 'log'}")
        yield nodes


def _start_epmd(node: RunningRabbitmq, cleanup: ExitStack) -> None:
    environment = node.environment()
    epmd = shutil.which("epmd", path=environment["PATH"])
    if epmd is None:
        raise LocalServerError("no epmd beside RabbitMQ's Erlang")
    command = [epmd, "-address", "127.0.0.1", "-port", str(node.ports.epmd)]
    del environment[processes.HOME_MARK]
    process = processes.start_server(command, log=node.directory / "log" / "epmd", env=environment)
    cleanup.callback(processes.reap, process)
    cleanup.callback(processes.kill_all, [process.pid])
