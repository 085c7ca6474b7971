"""`./sirenade COMMAND`: hands over to the service that owns the command, and imports none.

Where SIRENADE_DATABASE_URL is not set, the database of the last `make demo` answers; it is
started for the command when it does not run.
"""

import os
import subprocess
import sys

from deploy.local.demo_database import demo_database
from shared.errors import UserError

OWNERS = {
    "import": "services.fetcher",
    "inspect": "services.writer",
    "avis": "services.reviewer",
    "migrate": "services.operator",
    "stats": "services.operator",
    "status": "services.operator",
    "failed": "services.operator",
    "dead-letters": "services.operator",
    "demo": "services.embedded",
}
# These read files, or bring a database of their own.
_WITHOUT_DATABASE = {"inspect", "demo"}
_HELP = """\
usage: ./sirenade COMMAND [--help] …

  import        import départements or communes from INSEE
  status        the work, live: rows, rate, quota, avis, ETA
  stats         the numbers, in one query
  failed        what could not be written or reviewed
  dead-letters  messages that nobody could work on
  avis          show and check texts
  inspect       how records of the API would be stored
  migrate       bring the database schema up to date
  demo          everything in one process, against the simulator

./sirenade COMMAND --help says more. The database is SIRENADE_DATABASE_URL;
without it, that of the last `make demo`.
"""


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        sys.stdout.write(_HELP)
        return 0
    owner = OWNERS.get(arguments[0])
    if owner is None:
        sys.stderr.write(f"error: unknown command {arguments[0]!r}: ./sirenade --help lists them\n")
        return 2
    command = [sys.executable, "-m", owner, *arguments]
    if _needs_no_database(arguments) or _database_is_named():
        os.execv(sys.executable, command)  # noqa: S606  # the same interpreter, no shell
    return _run_with_demo_database(command)


def _needs_no_database(arguments: list[str]) -> bool:
    return arguments[0] in _WITHOUT_DATABASE or "--help" in arguments or arguments[1:2] == ["check"]


def _database_is_named() -> bool:
    return any(f"SIRENADE_DATABASE_URL{suffix}" in os.environ for suffix in ("", "_FILE"))


def _run_with_demo_database(command: list[str]) -> int:
    try:
        with demo_database() as url:
            environment = {**os.environ, "SIRENADE_DATABASE_URL": url}
            return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  # ours
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
