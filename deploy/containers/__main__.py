"""The commands that the Makefile calls: `python3 -m deploy.containers COMMAND`."""

import argparse
import sys
from collections.abc import Iterator

from deploy.containers.doctor import examine
from deploy.containers.first_files import make
from deploy.containers.paths import Places, SetupError
from deploy.containers.settings_file import scale
from deploy.containers.versions import rollback, upgrade, version_here


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.containers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="write .env and secrets where they are missing")
    init.add_argument("--demo", action="store_true", help="use a simulator instead of INSEE")
    scaling = commands.add_parser("scale", help="write a number of replicas to .env")
    scaling.add_argument("service")
    scaling.add_argument("replicas")
    commands.add_parser("upgrade", help="build and start the version of this checkout")
    commands.add_parser("rollback", help="start the version before the one that runs")
    commands.add_parser("version", help="print the version of this checkout, the tag of its images")
    commands.add_parser("doctor", help="list what this machine lacks")
    options = parser.parse_args(arguments)
    try:
        if options.command == "doctor":
            return examine(Places())
        if options.command == "scale":
            sys.stdout.write(scale(Places(), options.service, options.replicas) + "\n")
            return 0
        for line in _steps(options):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    except SetupError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"error: {error.strerror}: {error.filename}\n")
        return 2
    return 0


def _steps(options: argparse.Namespace) -> Iterator[str]:
    if options.command == "upgrade":
        return upgrade(Places())
    if options.command == "rollback":
        return rollback(Places())
    if options.command == "version":
        return iter([version_here()])
    return make(Places(), demo=options.demo)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
