"""`./sirenade COMMAND`: runs the module of the service that owns the command.

Without SIRENADE_DATABASE_URL the command uses the database of the last `make demo`, which is
started for it if needed.
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
# These read files, bring their own database, or order work that no service would do in the demo's.
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
  status        show the work until it is done, or --once
  monitor       watch everything: quota, queues, memory, texts, money, alerts
  statement     state what is complete, and what is missing, by département
  certify       compare what is stored with what INSEE lists now
  repair        fetch the differences of a certificate or a statement
  stats         print the numbers of the whole system
  reconcile     compare counters with rows
  schedule      list the jobs: last run, result, next run
  logs          print log lines for people: by service, level, run, batch
  archive       put closed log files and daily summaries into the store
  backup        put the database into the store; --list
  restore       restore a backup into an empty database
  failed        list, show, retry or purge failed rows and texts
  dead-letters  list, show, replay or drop messages that no actor could handle
  avis          texts: forecast, run, budget, show and check
  reviews       import or withdraw published reviews, quoted word for word
  lookup        say what became of a number at INSEE
  successions   import which establishment followed which
  forget        erase a unit that objects, and keep it out
  inspect       show how records of the API would be stored
  migrate       bring the database schema up to date
  demo          run everything in one process, against the simulator
  prove         run the proofs, measured from outside

./sirenade COMMAND --help says more. Commands use the database of
SIRENADE_DATABASE_URL; without it, that of the last `make demo`.
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
        # Ctrl-C ends the process until the command line has its own handler.
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
    # Containers name their database, and lack this module.
    from deploy.local.demo_database import demo_database  # noqa: PLC0415  as above

    children: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: object) -> None:
        # Ctrl-C at the terminal has reached the child, too; this process stops the server.
        for child in children if number != signal.SIGINT else []:
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    try:
        with demo_database() as url:
            command = [sys.executable, "-m", "services.dispatch", *arguments]
            environment = {**os.environ, "SIRENADE_DATABASE_URL": url}
            children.append(subprocess.Popen(command, env=environment))  # noqa: S603  # this program
            status = children[0].wait()
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"error: {error.strerror}: {error.filename}\n")
        return 2
    # A shell gives this status where a signal ended the process.
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
