"""Command line of the writer: the service itself, and a look at what it makes of records."""

from pathlib import Path
from typing import Annotated

import typer

from services.writer import main
from services.writer.forget_commands import forget
from services.writer.inspecting import inspect_lines
from shared.cli import make_app
from shared.cli import run as run_cli
from shared.errors import UserError

app = make_app("Write INSEE's records to PostgreSQL.")


@app.command()
def run() -> None:
    """Run the writer service until SIGTERM; settings come from SIRENADE_* variables."""
    main.main()


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="JSON lines of API records; - reads stdin.")],
) -> None:
    """Print for each API record one JSON line: the rows it becomes, or its error code.

    Example: ./sirenade inspect records.jsonl
    """
    source = Path("/dev/stdin") if str(file) == "-" else file
    try:
        with source.open(encoding="utf-8") as lines:
            for line in inspect_lines(lines):
                typer.echo(line)
    except BrokenPipeError:
        raise  # the reader has seen enough: typer ends in silence
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"cannot read {file}: it is not UTF-8") from None


app.command()(forget)


if __name__ == "__main__":
    run_cli(app, name="sirenade")
