"""`./sirenade forget`: oppositions, their end, and the file that carries them over a restore."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table
from sqlalchemy import Engine

from services.writer import main
from services.writer.commands.kept_erasures import (
    Erasures,
    apply_everywhere,
    keep_act,
    keep_all,
    read_file,
    read_store,
)
from services.writer.erasure import oppositions
from services.writer.erasure.oppositions import Forgotten
from shared.archive.settings import BackupSettings
from shared.errors import UserError
from shared.private_files import private_file
from shared.terminal.cli import AsJson, print_json, print_result, say
from shared.terminal.console import Console

_STORE = "store"


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
    keep: Annotated[
        bool, typer.Option("--keep", help="Put the same into the store beside the backups.")
    ] = False,
    apply: Annotated[
        Path | None,
        typer.Option(help="Record those of a file, or of the store (store), and erase again."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take a number with a wrong check digit too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase all that is kept of a unit beyond its number, and keep it out from now on.

    It works for a unit that is not stored yet, and may be repeated. Where a store is set, it keeps
    each opposition at once, so that a restore knows it.

    Example: ./sirenade forget 552032534 --reason "letter of 3 March"
    """
    if [bool(sirens), export is not None, keep, apply is not None].count(True) != 1:
        raise UserError("give one of SIREN…, --export FILE, --keep, --apply FILE")
    if withdraw and not sirens:
        raise UserError("--withdraw goes with SIREN…")
    numbers = [oppositions.checked_siren(siren) for siren in sirens or []]
    if export is not None:
        _export(export, as_json=as_json)
    elif keep:
        lines = keep_all()
        print_result({"lines": lines}, f"{lines} lines in the store", as_json=as_json)
    elif apply is not None:
        _apply(apply, as_json=as_json)
    elif withdraw:
        _withdraw(numbers, as_json=as_json)
    else:
        done, kept = [], _Kept()
        for siren in dict.fromkeys(numbers):
            with _home_of(siren) as engine:
                done.append(oppositions.forget(engine, siren, reason=reason, force=force))
                kept.add(engine, siren)
        _print_forgotten(done, as_json=as_json)
        kept.require_all()


@contextmanager
def _home_of(siren: str) -> Iterator[Engine]:
    engine = main.open_engine(siren)
    try:
        yield engine
    finally:
        engine.dispose()


class _Kept:
    """Puts acts into the store, each right after it was done here."""

    def __init__(self) -> None:
        self._failures: list[str] = []

    def add(self, engine: Engine, siren: str) -> None:
        with engine.connect() as connection:
            lines = list(oppositions.export_lines(connection, siren))
        try:
            keep_act(lines)
        except UserError as error:
            self._failures.append(str(error))

    def require_all(self) -> None:
        """Raise UserError where the store lacks one."""
        if self._failures:
            raise UserError(
                "done here, but the store does not keep it, so that a restore would not know it: "
                f"give the command again ({self._failures[0]})"
            )


def _print_forgotten(done: Sequence[Forgotten], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(each) for each in done])
        return
    for each in done:
        stands = "opposition recorded" if each.is_new else "the opposition stood already"
        known = "" if each.is_stored else "; the unit is not stored, and will be kept out"
        say(f"{each.siren}: {stands}{known}")
        _print_counts(each.erased)


def _withdraw(sirens: Sequence[str], *, as_json: bool) -> None:
    done, kept = {}, _Kept()
    for siren in sirens:
        with _home_of(siren) as engine:
            done[siren] = oppositions.withdraw(engine, siren)
            kept.add(engine, siren)
    if as_json:
        print_json({"withdrawn": [siren for siren in done if done[siren]]})
    else:
        for siren, was_there in done.items():
            say(f"{siren}: {'opposition ended' if was_there else 'no opposition stood'}")
    kept.require_all()


def _export(path: Path, *, as_json: bool) -> None:
    if str(path) == "-":
        for line in main.export_lines():
            say(line)
        return
    with private_file(path) as out:
        count = 0
        for line in main.export_lines():
            out.write(f"{line}\n")
            count += 1
    print_result({"lines": count}, f"{count} lines in {path}", as_json=as_json)


def _apply(path: Path, *, as_json: bool) -> None:
    settings = main.read_backup_settings()
    again = _kept(settings) if str(path) == _STORE else read_file(path)
    groups = track(
        apply_everywhere(settings, again),
        description="applying",
        total=-(-len(again) // oppositions.SIRENS_AT_ONCE),
        console=Console(stderr=True),
    )
    cleared = sum(groups, Counter[str]())
    if as_json:
        print_json({"sirens": len(again), "erased": dict(cleared)})
        return
    say(f"{len(again)} units checked")
    _print_counts(cleared)


def _kept(settings: BackupSettings) -> Erasures:
    kept = read_store(settings)
    if kept is None:
        raise UserError("the store keeps no erasures, or none is set: SIRENADE_ARCHIVE_URL")
    return kept


def _print_counts(erased: dict[str, int]) -> None:
    if not erased:
        say("nothing was there to erase")
        return
    table = Table("table", "rows erased")
    for name, rows in sorted(erased.items()):
        table.add_row(name, str(rows))
    Console().print(table)
