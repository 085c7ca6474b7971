"""`./sirenade forget`: oppositions, their end, and the file that carries them over a restore."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import Engine

from services.writer.erasure import oppositions
from services.writer.erasure.oppositions import Forgotten
from services.writer.main import open_engine
from shared.errors import UserError
from shared.terminal.cli import AsJson


def forget(  # noqa: PLR0913, PLR0917  the options of one command, typer's to bind
    sirens: Annotated[
        list[str] | None, typer.Argument(metavar="SIREN…", help="Units that object.")
    ] = None,
    reason: Annotated[
        str, typer.Option(help="Why, for the audit: a date, a file number. No name.")
    ] = "asked",
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="End the opposition; an import brings the data back.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write oppositions and tombstones to a file; - is stdout.")
    ] = None,
    apply: Annotated[
        Path | None, typer.Option(help="After a restore: record those of a file, and erase again.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take a number with a wrong check digit too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase all that is kept of a unit beyond its number, and keep it out from now on.

    It works for a unit that is not stored yet, and may be repeated.

    Example: ./sirenade forget 552032534 --reason "letter of 3 March"
    """
    if [bool(sirens), export is not None, apply is not None].count(True) != 1:
        raise UserError("give one of SIREN…, --export FILE, --apply FILE")
    if withdraw and not sirens:
        raise UserError("--withdraw goes with SIREN…")
    numbers = [oppositions.checked_siren(siren) for siren in sirens or []]
    if export is not None:
        _export(open_engine(), export, as_json=as_json)
    elif apply is not None:
        _apply(open_engine(), apply, as_json=as_json)
    elif withdraw:
        _withdraw(numbers, as_json=as_json)
    else:
        done = []
        for siren in dict.fromkeys(numbers):
            with _home_of(siren) as engine:
                done.append(oppositions.forget(engine, siren, reason=reason, force=force))
        _print_forgotten(done, as_json=as_json)


@contextmanager
def _home_of(siren: str) -> Iterator[Engine]:
    engine = open_engine(siren)
    try:
        yield engine
    finally:
        engine.dispose()


def _print_forgotten(done: Sequence[Forgotten], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in done]))
        return
    for each in done:
        stands = "opposition recorded" if each.is_new else "the opposition stood already"
        known = "" if each.is_stored else "; the unit is not stored, and will be kept out"
        typer.echo(f"{each.siren}: {stands}{known}")
        _print_counts(each.erased)


def _withdraw(sirens: Sequence[str], *, as_json: bool) -> None:
    done = {}
    for siren in sirens:
        with _home_of(siren) as engine:
            done[siren] = oppositions.withdraw(engine, siren)
    if as_json:
        typer.echo(json.dumps({"withdrawn": [siren for siren in done if done[siren]]}))
        return
    for siren, was_there in done.items():
        typer.echo(f"{siren}: {'opposition ended' if was_there else 'no opposition stood'}")


def _export(engine: Engine, path: Path, *, as_json: bool) -> None:
    with engine.connect() as connection:
        if str(path) == "-":
            for line in oppositions.export_lines(connection):
                typer.echo(line)
            return
        # The file appears whole, and only its owner may read the numbers of people who object.
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as out:  # noqa: PTH123  a descriptor
                count = 0
                for line in oppositions.export_lines(connection):
                    out.write(f"{line}\n")
                    count += 1
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    typer.echo(json.dumps({"lines": count}) if as_json else f"{count} lines in {path}")


def _apply(engine: Engine, path: Path, *, as_json: bool) -> None:
    try:
        with path.open(encoding="utf-8") as lines:
            by_siren = oppositions.read_lines(lines)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"cannot read {path}: it is not UTF-8") from None
    groups = track(
        oppositions.apply(engine, by_siren),
        description="applying",
        total=-(-len(by_siren) // oppositions.SIRENS_AT_ONCE),
        console=Console(stderr=True),
    )
    cleared = sum(groups, Counter[str]())
    if as_json:
        typer.echo(json.dumps({"sirens": len(by_siren), "erased": dict(cleared)}))
        return
    typer.echo(f"{len(by_siren)} units checked")
    _print_counts(cleared)


def _print_counts(erased: dict[str, int]) -> None:
    if not erased:
        typer.echo("nothing was there to erase")
        return
    table = Table("table", "rows erased")
    for name, rows in sorted(erased.items()):
        table.add_row(name, str(rows))
    Console().print(table)
