"""The object store of archives and backups: S3, Azure Blob, GCS or a folder, by its URL."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from shared.errors import UserError

if TYPE_CHECKING:
    # The type checker alone needs these: obstore lacks the names at run time.
    from obstore.store import ClientConfig, RetryConfig

_SCHEMES = ("s3", "az", "gs", "file")
# A job comes again within the hour: do not wait longer for a store that is away.
_RETRIES: "RetryConfig" = {"max_retries": 4, "retry_timeout": timedelta(seconds=40)}
_TIMEOUT = timedelta(seconds=120)
# The library's name of a file until its upload has ended; no listing shows it.
_UNFINISHED = re.compile(r".+#\d+")


class StorageError(UserError):
    """Raised when the store fails; nothing was deleted on this side."""


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Turn the store's errors into a StorageError that says what failed."""
    try:
        yield
    except (BaseError, FileNotFoundError) as error:
        raise StorageError(f"{what}: {_first_line(error)}") from None


@contextmanager
def _private_files() -> Iterator[None]:
    """Let others read no file or folder that is made here meanwhile."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@dataclass(frozen=True)
class Storage:
    """An object store; a kill during an upload leaves no object. Raises StorageError.

    `folder` is where the objects are, if it is one.
    """

    store: ObjectStore
    folder: Path | None = None

    def put(self, key: str, content: bytes | FileIO) -> bool:
        """Put the object unless it is there, check its size; return whether it was put."""
        if isinstance(content, bytes):
            size = len(content)
        else:
            size = content.seek(0, os.SEEK_END)
            content.seek(0)
        if self.size_of(key) == size:
            return False
        with _saying(f"cannot put {key}"), _private_files():
            obstore.put(self.store, key, content)
        stored = self.size_of(key)
        if stored != size:
            raise StorageError(f"{key} has {stored} bytes in the store, not {size}")
        return True

    def size_of(self, key: str) -> int | None:
        """Return the size of an object, None where it does not exist."""
        with _saying(f"cannot look at {key}"), suppress(FileNotFoundError, NotFoundError):
            return obstore.head(self.store, key)["size"]
        return None

    def read(self, key: str, *, most_bytes: int) -> bytes:
        return b"".join(self._stream(key, most_bytes))

    def fetch(self, key: str, file: FileIO, *, most_bytes: int) -> None:
        out = BufferedWriter(file)
        out.writelines(self._stream(key, most_bytes))
        out.detach()

    def _stream(self, key: str, most_bytes: int) -> Iterator[bytes]:
        """Yield the object in pieces. The store may send more than its owner ever put."""
        with _saying(f"cannot read {key}"):
            left = most_bytes
            for piece in obstore.get(self.store, key).stream():
                left -= len(piece)
                if left < 0:
                    raise StorageError(f"{key} is longer than {most_bytes} bytes")
                yield bytes(piece)

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of all objects below a folder, sorted."""
        with _saying(f"cannot list {prefix}"):
            return sorted(
                each["path"] for page in obstore.list(self.store, prefix) for each in page
            )

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            with _saying(f"cannot delete {key}"), suppress(FileNotFoundError):
                obstore.delete(self.store, key)

    def delete_unfinished(self, *, older_than: datetime) -> None:
        """Delete what killed uploads left in a folder; other stores have rules of their own."""
        for path in self.folder.rglob("*#*") if self.folder is not None else ():
            if _UNFINISHED.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < older_than.timestamp():
                        path.unlink()


def open_storage(url: str, credentials: str = "") -> Storage:
    """Make the store without connecting to it. Raises UserError.

    `credentials` are lines NAME=value with the store's own names.
    """
    scheme = urlsplit(url).scheme
    if scheme not in _SCHEMES:
        raise UserError("an archive URL begins with s3://, az://, gs:// or file:///")
    if scheme == "file":
        folder = Path(urlsplit(url).path)
        if not folder.is_dir():
            raise UserError(f"archives: there is no folder {folder}")
        return Storage(LocalStore(folder), folder)
    values = _read(credentials)
    plain = any(value.startswith("http://") for value in values.values())
    client: ClientConfig = {"allow_http": plain, "timeout": _TIMEOUT}
    try:
        store = from_url(url, config=values, client_options=client, retry_config=_RETRIES)  # type: ignore[call-overload]  # the names depend on the store
    except BaseError as error:
        raise UserError(f"archives: {_first_line(error)}") from None
    return Storage(store)


def _read(credentials: str) -> dict[str, str]:
    values = {}
    for number, line in enumerate(credentials.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise UserError(f"archive credentials: line {number} is not NAME=value")
        values[name.strip().lower()] = value.strip()
    return values


def _first_line(error: BaseException) -> str:
    """Return the first line of an error: the others show the library's inside."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
