"""`python -m tests.servers prepare|prepare-slow|clean`: called by `make` around tests."""

import argparse
import os
import shutil
import sys

from deploy.local import processes
from deploy.local.errors import LocalServerError
from deploy.local.folders import LOCAL, relocated_folders
from deploy.local.postgres_binaries import binaries_for
from tests.servers import monitoring_binaries
from tests.servers.chromium_binaries import find_or_fetch_chromium
from tests.servers.elasticsearch import find_or_fetch_emulators
from tests.servers.npm_packages import find_or_fetch_axe, find_or_fetch_azurite
from tests.servers.pgbouncer_binaries import find_or_fetch_pgbouncer
from tests.servers.postgres_binaries import find_or_fetch_postgres
from tests.servers.programs import find_or_fetch_program
from tests.servers.rabbitmq_binaries import find_or_fetch_rabbitmq


def prepare() -> None:
    """Find or fetch the servers and tools of the tests, so that no test waits for a download."""
    print(f"PostgreSQL: {binaries_for(processes.server_account())}")
    print(f"PostgreSQL with TLS: {find_or_fetch_postgres()}")
    print(f"pgbouncer: {find_or_fetch_pgbouncer().program}")
    if os.environ.get("SIRENADE_TEST_RABBITMQ_URL"):
        print("RabbitMQ: the server of SIRENADE_TEST_RABBITMQ_URL, and for the tests that kill it:")
    print(f"RabbitMQ: {find_or_fetch_rabbitmq().root}")
    print(f"in place of Elasticsearch: {find_or_fetch_emulators()}")
    print(f"Redis: {find_or_fetch_program('redis-server').path}")
    for tool in ("promtool", "amtool"):
        print(f"{tool}: {monitoring_binaries.find_or_fetch(tool)}")


def prepare_slow() -> None:
    """Find or fetch the servers that only slow tests need."""
    for server in ("prometheus", "prometheus-postgres-exporter"):
        print(f"{server}: {monitoring_binaries.find_or_fetch(server)}")
    print(f"Azurite: {find_or_fetch_azurite()}")
    print(f"Chromium: {find_or_fetch_chromium().program}")
    print(f"axe: {find_or_fetch_axe()}")


def clean() -> None:
    """Stop the servers that still run for this checkout and remove all their files."""
    for folder in (*relocated_folders(LOCAL), LOCAL):
        if not folder.exists():
            continue
        if running := processes.processes_below(folder):
            print(f"ending {len(running)} processes of {folder}")
            processes.kill_all(running)
        shutil.rmtree(folder)
        print(f"removed {folder}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (prepare, prepare_slow, clean):
        name = command.__name__.replace("_", "-")
        commands.add_parser(name, help=command.__doc__).set_defaults(run=command)
    try:
        parser.parse_args().run()
    except LocalServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
