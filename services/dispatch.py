"""`./sirenade COMMAND`: hands over to the service that owns the command, and imports none.

Where SIRENADE_DATABASE_URL is not set, the database of the last `make demo` answers; it is
started for the command when it does not run.
"""

import importlib.util
import os
import runpy
import signal
import subprocess
import sys

from shared.errors import UserError

OWNERS = {
    "import": "services.fetcher",
    "delta": "services.fetcher",
    "certify": "services.fetcher",
    "repair": "services.fetcher",
    "lookup": "services.fetcher",
    "successions": "services.fetcher",
    "inspect": "services.writer",
    "stock": "services.writer",
    "forget": "services.writer",
    "avis": "services.reviewer",
    "reviews": "services.reviewer",
    "migrate": "services.operator",
    "stats": "services.operator",
    "status": "services.operator",
    "monitor": "services.operator",
    "reconcile": "services.operator",
    "schedule": "services.operator",
    "statement": "services.operator",
    "logs": "services.operator",
    "archive": "services.operator",
    "backup": "services.operator",
    "restore": "services.operator",
    "failed": "services.operator",
    "dead-letters": "services.operator",
    "demo": "services.embedded",
    "prove": "tests.proofs",
}
# These read files, bring a database of their own, or ask services for work: none serve the demo's.
_WITHOUT_DEMO_DATABASE = {
    "inspect",
    "logs",
    "archive",
    "backup",
    "restore",
    "demo",
    "prove",
    "import",
    "delta",
    "certify",
    "repair",
    "lookup",
    "successions",
    "stock",
}
_WORK_ORDERS = (["failed", "retry"], ["dead-letters", "replay"])
_HELP = """\
usage: ./sirenade COMMAND [--help] …

  import        import places, activities or the whole register from INSEE
  delta         bring the register up to INSEE's latest day
  stock         load INSEE's monthly stock files
  status        the work, live: rows, rate, quota, avis, ETA
  monitor       everything, live: quota, queues, memory, texts, money, alerts
  statement     what a run or a day promised and kept, by département
  certify       what is stored, against what INSEE lists now
  repair        fetch just what a certificate or a statement found to differ
  stats         the numbers, in one query
  reconcile     the counters, against what they count
  schedule      the jobs that come round: last run, result, next run
  logs          log lines for people: by service, level, run, batch
  archive       closed log files and daily summaries, to S3, Azure, GCS or a folder
  backup        the database, to the same store; --list
  restore       a backup, into an empty database
  failed        what could not be written or reviewed: list, show, retry, purge
  dead-letters  messages that nobody could work on: list, show, replay, drop
  avis          texts: their bill, a run and its budget, show and check
  reviews       published reviews, quoted word for word: import, withdraw
  lookup        what became of a number at INSEE: moved, withheld, unknown
  successions   which establishment followed which, from INSEE
  forget        erase a unit that objects, and keep it out
  inspect       how records of the API would be stored
  migrate       bring the database schema up to date
  demo          everything in one process, against the simulator
  prove         the promises, run for real and measured from outside

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
    if importlib.util.find_spec(owner) is None:
        sys.stderr.write(f"error: {arguments[0]} is not in this image\n")
        return 2
    if _needs_no_database(arguments) or _database_is_named():
        # Until the command line is there to say it in one word, Ctrl-C just ends the process.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.argv = ["sirenade", *arguments]
        runpy.run_module(owner, run_name="__main__", alter_sys=True)
        return 0
    return _run_with_demo_database(arguments)


def _needs_no_database(arguments: list[str]) -> bool:
    return (
        arguments[0] in _WITHOUT_DEMO_DATABASE
        or "--help" in arguments
        or arguments[1:2] == ["check"]
        or arguments[:2] in _WORK_ORDERS
    )


def _database_is_named() -> bool:
    return any(f"SIRENADE_DATABASE_URL{suffix}" in os.environ for suffix in ("", "_FILE"))


def _run_with_demo_database(arguments: list[str]) -> int:
    # Of the local set-up, which containers do not hold; they name their database.
    from deploy.local.demo_database import demo_database  # noqa: PLC0415  as above

    children: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: object) -> None:
        # At the terminal Ctrl-C has reached the child as well; this process stops the server.
        for child in children if number != signal.SIGINT else []:
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    try:
        with demo_database() as url:
            command = [sys.executable, "-m", "services.dispatch", *arguments]
            environment = {**os.environ, "SIRENADE_DATABASE_URL": url}
            children.append(subprocess.Popen(command, env=environment))  # noqa: S603  # ours
            status = children[0].wait()
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"error: {error.strerror}: {error.filename}\n")
        return 2
    # As a shell says that a signal ended it.
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
