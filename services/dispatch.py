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

from shared.controls import shown_lines
from shared.errors import UserError

VERSION = "1.0.0"
# Each command with its owner and its help.
COMMANDS = {
    "import": ("fetcher", "import places, activities or the whole register from INSEE"),
    "delta": ("fetcher", "bring the register up to INSEE's latest day"),
    "stock": ("writer", "load INSEE's monthly stock files"),
    "status": ("operator", "show the work until it is done, or --once"),
    "runs": ("operator", "list, show, pause, resume or cancel imports and deltas"),
    "monitor": ("operator", "watch everything: quota, queues, memory, texts, money, alerts"),
    "statement": ("operator", "state what is complete, and what is missing, by département"),
    "certify": ("fetcher", "compare what is stored with what INSEE lists now"),
    "repair": ("fetcher", "fetch the differences of a certificate or a statement"),
    "stats": ("operator", "print the numbers of the whole system"),
    "reconcile": ("operator", "compare counters with rows"),
    "schedule": ("operator", "list the jobs: last run, result, next run"),
    "logs": ("operator", "print log lines for people: by service, level, run, batch"),
    "archive": ("operator", "put closed log files and daily summaries into the store"),
    "backup": ("operator", "put the database into the store; --list"),
    "restore": ("writer", "restore a backup into an empty database"),
    "drill": ("writer", "restore the newest backup for a trial, and drop it"),
    "failed": ("operator", "list, show, retry or purge failed rows and texts"),
    "dead-letters": ("operator", "list, show, replay or drop messages that no actor could handle"),
    "console": ("operator", "serve the web console of operators and editors; its accounts"),
    "reports": ("operator", "list what readers report of pages, and close what is done"),
    "avis": ("reviewer", "texts: forecast, run, budget, show and check"),
    "reviews": ("reviewer", "import or withdraw published reviews, quoted word for word"),
    "rehearse": ("reviewer", "say what NAF 2025 will change, and what it will cost"),
    "lookup": ("fetcher", "say what became of a number at INSEE"),
    "refresh": ("fetcher", "fetch single units anew, and store what comes"),
    "successions": ("fetcher", "import which establishment followed which"),
    "forget": ("writer", "erase a unit that objects, and keep it out"),
    "inspect": ("writer", "show how records of the API would be stored"),
    "portal": ("portal", "serve pages, search and feeds: portal run, portal index"),
    "search": ("portal", "make the portal's index anew, or compare it with the register"),
    "migrate": ("operator", "bring the database schema up to date"),
    "roles": ("operator", "make a role for each service in PostgreSQL and RabbitMQ"),
    "demo": ("embedded", "run everything in one process, against the simulator"),
    "prove": ("proofs", "run the proofs, measured from outside"),
}
# The former read files or bring their own database; the others order work that no service would do
# in that of the demo.
_WITHOUT_DATABASE = {
    "inspect",
    "logs",
    "archive",
    "backup",
    "restore",
    "drill",
    "roles",
    "demo",
    "prove",
}
_WORK_ORDERS = {"import", "delta", "certify", "repair", "lookup", "refresh", "successions", "stock"}
_WORK_ORDERS_OF_TWO_WORDS = (["failed", "retry"], ["dead-letters", "replay"])
_LIST = "\n".join(f"  {name:13} {meaning}" for name, (_, meaning) in COMMANDS.items())
_HELP = f"""\
usage: ./sirenade COMMAND [--help] …

{_LIST}

./sirenade COMMAND --help says more; ./sirenade --version names the release. Commands use
the database of SIRENADE_DATABASE_URL; without it, that of the last `make demo`.
"""


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        sys.stdout.write(_HELP)
        return 0
    if arguments[0] == "--version":
        sys.stdout.write(f"sirenade {VERSION}\n")
        return 0
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"error: unknown command {arguments[0]!r}: ./sirenade --help lists them\n")
        return 2
    owner, _ = COMMANDS[arguments[0]]
    package = "tests.proofs" if owner == "proofs" else f"services.{owner}"
    if importlib.util.find_spec(package) is None:
        sys.stderr.write(f"error: {arguments[0]} is not in this image\n")
        return 2
    named = {"SIRENADE_DATABASE_URL", "SIRENADE_DATABASE_URL_FILE"} & os.environ.keys()
    if named or _needs_no_database(arguments):
        # Ctrl-C ends the process until the command line has its own handler.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.argv = ["sirenade", *arguments]
        runpy.run_module(package, run_name="__main__", alter_sys=True)
        return 0
    return _run_with_demo_database(arguments)


def _needs_no_database(arguments: list[str]) -> bool:
    return (
        arguments[0] in _WITHOUT_DATABASE | _WORK_ORDERS
        or "--help" in arguments
        or arguments[:2] == ["avis", "check"]
        or arguments[:2] in _WORK_ORDERS_OF_TWO_WORDS
    )


def _run_with_demo_database(arguments: list[str]) -> int:
    # Containers name their database, and lack this module.
    from deploy.local.demo_database import demo_database  # noqa: PLC0415  as above
    from deploy.local.processes import death_signal_hook  # noqa: PLC0415  as above

    children: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: object) -> None:
        # Ctrl-C at the terminal has reached the child, too; this process stops the server.
        for child in children if number != signal.SIGINT else []:
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    try:
        with demo_database() as url:
            command = [sys.executable, "-P", "-m", "services.dispatch", *arguments]
            environment = {**os.environ, "SIRENADE_DATABASE_URL": url}
            ends_with_us = death_signal_hook(signal.SIGTERM)
            children.append(
                subprocess.Popen(command, env=environment, preexec_fn=ends_with_us)  # noqa: S603, PLW1509  # this program; one prepared system call
            )
            status = children[0].wait()
    except UserError as error:
        sys.stderr.write(f"error: {shown_lines(str(error))}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"error: {error.strerror}: {error.filename}\n")
        return 2
    # A shell gives this status where a signal ended the process.
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
