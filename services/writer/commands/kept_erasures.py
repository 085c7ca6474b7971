"""Exported erasures: read from a file or the store, kept there, applied to every database."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from services.writer import main
from services.writer.erasure import oppositions
from services.writer.erasure.oppositions import Entry
from shared.archive.settings import BackupSettings
from shared.errors import UserError
from shared.inputs import read_lines

if TYPE_CHECKING:
    from services.writer.commands.backup_store import BackupStore

Erasures = dict[str, list[Entry]]


def open_store(settings: BackupSettings) -> "BackupStore":
    from services.writer.commands.backup_store import BackupStore  # noqa: PLC0415  needs the store's library

    return BackupStore(settings)


def read_file(path: Path) -> Erasures:
    return oppositions.read_lines(read_lines(path))


def read_store(settings: BackupSettings) -> Erasures | None:
    """Return what the store keeps, None where it keeps nothing or none is set."""
    if not _is_set(settings):
        return None
    lines = open_store(settings).read_erasures()
    return None if lines is None else oppositions.read_lines(lines)


def keep_act(lines: Iterable[str]) -> bool:
    """Put what stands about a unit into the store; return False where none is set."""
    return _keep(lines, whole=False)


def keep_all() -> int:
    """Put the whole list into the store; return its lines. Raises UserError where none is set."""
    counted: Counter[str] = Counter()

    def lines() -> Iterator[str]:
        for line in main.export_lines():
            counted["lines"] += 1
            yield line

    if not _keep(lines(), whole=True):
        raise UserError("no store is set: SIRENADE_ARCHIVE_URL, or SIRENADE_ERASURES_URL")
    return counted["lines"]


def _keep(lines: Iterable[str], *, whole: bool) -> bool:
    settings = main.read_backup_settings()
    if not _is_set(settings):
        return False
    open_store(settings).keep_erasures(lines, whole=whole)
    return True


def _is_set(settings: BackupSettings) -> bool:
    return bool(settings.erasures_url or settings.archive_url)


def apply_everywhere(settings: BackupSettings, again: Erasures) -> Iterator[Counter[str]]:
    """Erase again in each database, and end its mark; yield the cleared rows by group of units."""
    for engine, own in main.homes(settings, again):
        yield from oppositions.apply(engine, own)
