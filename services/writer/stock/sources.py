"""The source of a stock file: a path or a URL, opened with an identity of the file."""

import datetime as dt
import email.utils
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from services.writer.stock.remote_files import RemoteFile, without_secrets
from shared.errors import UserError

_BUFFER_BYTES = 1 << 20


@dataclass(slots=True)
class SourceFile:
    """An open file. `identity` is equal when the same file is opened again unchanged."""

    name: str
    stream: BinaryIO
    raw: io.RawIOBase
    size: int | None
    identity: str
    dated: dt.date | None

    @property
    def position(self) -> int:
        """Bytes read so far, with those that the reader has read ahead."""
        return self.raw.tell()

    def head(self, length: int) -> bytes:
        return cast("io.BufferedReader", self.stream).peek(length)[:length]

    def close(self) -> None:
        self.stream.close()


def open_source(place: str) -> SourceFile:
    """Open a path or an http(s) URL. Raises UserError where it cannot be read."""
    if place.startswith(("http://", "https://")):
        return _remote(place)
    path = Path(place)
    try:
        raw = path.open("rb", buffering=0)
        status = path.stat()
    except OSError as error:
        raise UserError(f"cannot read {place}: {error.strerror}") from None
    return SourceFile(
        name=str(path),
        stream=io.BufferedReader(raw, _BUFFER_BYTES),
        raw=raw,
        size=status.st_size,
        identity=f"{status.st_size} {status.st_mtime_ns}",
        dated=dt.datetime.fromtimestamp(status.st_mtime, tz=dt.UTC).date(),
    )


def _remote(url: str) -> SourceFile:
    raw = RemoteFile(url)
    modified = email.utils.parsedate_to_datetime(raw.last_modified) if raw.last_modified else None
    return SourceFile(
        name=without_secrets(url),
        stream=io.BufferedReader(raw, _BUFFER_BYTES),
        raw=raw,
        size=raw.size,
        identity=f"{raw.size} {raw.version}",
        dated=None if modified is None else modified.date(),
    )
