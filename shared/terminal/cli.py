"""The command line of every service: a person's mistake is one clear line."""

import json
import os
import signal
import sys
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.db.restore_marks import MarkedDatabase
from shared.errors import UserError

EXIT_BROKEN_PROMISE = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, default=str))


def print_result(value: object, line: str, *, as_json: bool) -> None:
    """Print what a command did: JSON, or one line for people."""
    if as_json:
        print_json(value)
    else:
        typer.echo(line)


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
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        app(prog_name=name)
    except UserError as error:
        _fail(str(error))
    except OperationalError as error:
        if isinstance(error.orig, MarkedDatabase):
            _fail(str(error.orig))
        # The driver's own text names host and port, never the password.
        _fail(f"the database does not answer: {_line_about(error)}")
    except DBAPIError as error:
        _fail(f"the database refuses: {_line_about(error)}")
    except ModuleNotFoundError as error:
        # A service's image leaves out what some of its commands need.
        _fail(f"{error.name} is not installed here: in containers, give this command to make run")
    except BrokenPipeError:
        # The reader has closed the pipe; what is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        _fail(f"{error.strerror or type(error).__name__}{where}")
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _line_about(error: DBAPIError) -> str:
    """Return the first line; of tries at several addresses, the last one, which got furthest."""
    lines = str(error.orig).strip().splitlines() or ["no message"]
    tries = [line for line in lines if line.startswith("connection to server")]
    return (tries or lines)[-1 if tries else 0]


def warn(message: str) -> None:
    """Say one line about a doubt that does not stop the command."""
    _stderr().print("[bold yellow]warning:[/]", escape(message))


def _fail(message: str) -> NoReturn:
    _stderr().print("[bold red]error:[/]", escape(message))
    sys.exit(EXIT_USER_ERROR)


def _stderr() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)
