"""The command line of every service: a person's mistake is one clear line."""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, NoReturn

import psycopg2
import typer
from rich.markup import escape
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.controls import shown, shown_json
from shared.db.outages import message_of
from shared.db.restore_marks import MarkedDatabase
from shared.errors import UserError
from shared.logs import sqlstate
from shared.terminal.console import Console
from shared.terminal.tracebacks import hide_rows

EXIT_BROKEN_PROMISE = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]


def say(*lines: object, err: bool = False) -> None:
    """Print each on one line; an end of line in it is shown as an escape."""
    for line in lines:
        typer.echo(shown(line), err=err)  # noqa: TID251  # the one place


def print_json(
    value: object, *, default: Callable[[object], object] = str, ascii_only: bool = True
) -> None:
    """Print one line of JSON."""
    line = json.dumps(value, default=default, ensure_ascii=ascii_only)
    typer.echo(shown_json(line))  # noqa: TID251  # the other one


def print_result(value: object, *lines: str, as_json: bool) -> None:
    """Print what a command did: JSON, or lines for people."""
    if as_json:
        print_json(value)
    else:
        say(*lines)


def make_app(help_text: str) -> typer.Typer:
    app = typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )

    # A lone command without a callback would have to be called without its name.
    @app.callback()
    def with_subcommands() -> None: ...

    with_subcommands.__doc__ = help_text
    return app


def run(app: typer.Typer, *, name: str) -> None:
    """Run the command line; a person's mistake ends with one line and status 2, no traceback."""
    hide_rows()
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        # A call of the app itself would put its own hook for uncaught errors in place of ours.
        typer.main.get_command(app)(prog_name=name)
    except UserError as error:
        _fail(*error.lines)
    except (DBAPIError, psycopg2.Error) as error:
        _fail(_of_database(error))
    except ModuleNotFoundError as error:
        # A service's image leaves out what some of its commands need.
        _fail(f"{error.name} is not installed here: in containers, give this command to make run")
    except MemoryError:
        _fail("this takes more memory than the process may have")
    except BrokenPipeError:
        # The reader has closed the pipe; what is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        _fail(f"{error.strerror or type(error).__name__}{where}")
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _of_database(error: DBAPIError | psycopg2.Error) -> str:
    """Return the driver's own words, which name host and port, never the password or a row."""
    if isinstance(marked := getattr(error, "orig", None), MarkedDatabase):
        return str(marked)
    state, words = sqlstate(error), message_of(error)
    if state and state not in words:
        words += f" (SQLSTATE {state})"
    # An error with a SQLSTATE is an answer.
    is_away = not state and isinstance(error, OperationalError | psycopg2.OperationalError)
    return f"the database {'does not answer' if is_away else 'refuses'}: {words}"


def warn(message: str) -> None:
    """Say one line about a doubt that does not stop the command."""
    _stderr().print("[bold yellow]warning:[/]", escape(shown(message)))


def _fail(message: str, *problems: str) -> NoReturn:
    console = _stderr()
    console.print("[bold red]error:[/]", escape(shown(message)))
    for problem in problems:
        console.print(f"  {escape(shown(problem))}")
    sys.exit(EXIT_USER_ERROR)


def _stderr() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)
