"""`python -m deploy.local prepare|clean`: what `make` calls before the tests, and to tidy up."""

import argparse
import os
import shutil
import sys

from deploy.local import processes
from deploy.local.errors import LocalServerError
from deploy.local.places import LOCAL, relocated_folders
from deploy.local.postgres_binaries import binaries_for
from deploy.local.rabbitmq_binaries import find_or_fetch_rabbitmq


def prepare() -> None:
    """Find or fetch the servers that tests start, so that no test waits for a download."""
    print(f"PostgreSQL: {binaries_for(processes.server_account())}")
    if os.environ.get("SIRENADE_TEST_RABBITMQ_URL"):
        print("RabbitMQ: the server of SIRENADE_TEST_RABBITMQ_URL, and for the tests that kill it:")
    print(f"RabbitMQ: {find_or_fetch_rabbitmq().root}")


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
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (prepare, clean):
        commands.add_parser(command.__name__, help=command.__doc__).set_defaults(run=command)
    try:
        parser.parse_args().run()
    except LocalServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
