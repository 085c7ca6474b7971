"""The source of a stock file: a path or a URL, opened with an identity of the file."""

import datetime as dt
import email.utils
import io
from dataclasses import dataclass, field
from pathlib import Path

from services.writer.stock.files.remote_files import RemoteFile
from shared.errors import UserError
from shared.http.egress import Egress

_BUFFER_BYTES = 1 << 20


@dataclass(slots=True)
class SourceFile:
    """An open file. `version` is equal when the same file is opened again unchanged."""

    name: str
    raw: io.RawIOBase
    size: int | None
    version: str
    dated: dt.date | None
    stream: io.BufferedReader = field(init=False)

    def __post_init__(self) -> None:
        self.stream = io.BufferedReader(self.raw, _BUFFER_BYTES)

    @property
    def identity(self) -> str:
        return f"{self.size} {self.version}"

    @property
    def position(self) -> int:
        """Bytes read so far, with those that the reader has read ahead."""
        return self.raw.tell()


def open_source(place: str, egress: Egress) -> SourceFile:
    """Open a path or an http(s) URL. Raises UserError where it cannot be read."""
    if place.startswith(("http://", "https://")):
        return _remote(place, egress)
    path = Path(place)
    try:
        raw = path.open("rb", buffering=0)
        status = path.stat()
    except OSError as error:
        raise UserError(f"cannot read {place}: {error.strerror}") from None
    dated = dt.datetime.fromtimestamp(status.st_mtime, tz=dt.UTC).date()
    return SourceFile(str(path), raw, status.st_size, str(status.st_mtime_ns), dated)


def _remote(url: str, egress: Egress) -> SourceFile:
    raw = RemoteFile(url, egress)
    return SourceFile(raw.name, raw, raw.size, raw.version, _day_of(raw.last_modified or ""))


def _day_of(date: str) -> dt.date | None:
    try:
        return email.utils.parsedate_to_datetime(date).date()
    except (ValueError, OverflowError):
        return None
