"""What every command line of Sirenade does alike: one clear line for a person's mistake."""

import sys

import typer
from rich.console import Console
from sqlalchemy.exc import OperationalError

from shared.errors import UserError

EXIT_BROKEN_PROMISE = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


def make_app(help_text: str) -> typer.Typer:
    app = typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )

    # Without one, a lone command would have to be called without its name.
    @app.callback()
    def with_subcommands() -> None: ...

    with_subcommands.__doc__ = help_text
    return app


def run(app: typer.Typer, *, name: str) -> None:
    """Run the command line; a person's mistake ends with one line and status 2, no traceback."""
    try:
        app(prog_name=name)
    except UserError as error:
        _fail(str(error))
    except OperationalError as error:
        # The driver's own text names host and port, never the password.
        reason = str(error.orig).strip().splitlines()[0]
        _fail(f"the database does not answer: {reason}")
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _fail(message: str) -> None:
    Console(stderr=True).print(f"[bold red]error:[/] {message}", soft_wrap=True, highlight=False)
    sys.exit(EXIT_USER_ERROR)
