"""Closed log files on their way to the store: compressed, put, checked, then deleted here.

After a kill the work is done again: a file's key follows from its name and content, so that the
second time finds the object there and the store holds nothing twice.
"""

import fcntl
import hashlib
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from gzip import GzipFile
from pathlib import Path

from shared.archive.storage import Storage
from shared.logs.files import LogFile, active_files, begun_at, closed_files

_CHUNK_BYTES = 1 << 20


@dataclass
class Archived:
    files: int = 0
    bytes: int = 0
    left: int = 0
    note: str = ""

    def in_one_line(self) -> str:
        if self.note:
            return self.note
        left = f", {self.left} left" if self.left else ""
        return f"{self.files} log files archived, {self.bytes} bytes{left}"


def put_logs(
    storage: Storage,
    directory: Path | None,
    *,
    seconds: float = float("inf"),
    now: datetime | None = None,
) -> Archived:
    """Archive files that are closed or were begun before today; begin none after `seconds`."""
    if directory is None:
        return Archived(note="no log files: SIRENADE_LOG_DIRECTORY is not set")
    if not directory.is_dir():
        return Archived(note=f"no log files: there is no folder {directory}")
    until, done = time.monotonic() + seconds, Archived()
    with _alone(directory) as is_alone:
        if not is_alone:
            return Archived(note="another process archives the log files")
        _close_old(directory, now or datetime.now(UTC))
        for service, path in closed_files(directory):
            if time.monotonic() > until:
                done.left += 1
            elif (size := _put(storage, service, path)) is not None:
                done.files += 1
                done.bytes += size
    return done


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    with (directory / ".archive.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _close_old(directory: Path, now: datetime) -> None:
    """Close files of earlier days: a service that logs little would never close its own."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for service in active_files(directory):
        file = LogFile(directory, service)
        try:
            file.close_before(today)
        finally:
            file.close()


def _put(storage: Storage, service: str, path: Path) -> int | None:
    """Return the bytes put; None where the file was deleted for newer ones meanwhile."""
    try:
        content, digest = _compressed(path)
        begun = begun_at(path) or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    key = f"service={service}/date={begun:%Y-%m-%d}/{path.stem}-{digest[:12]}.jsonl.gz"
    storage.put(key, content)
    path.unlink(missing_ok=True)
    return len(content)


def _compressed(path: Path) -> tuple[bytes, str]:
    """Return compressed bytes, the same each time, and the digest of the content."""
    digest, out = hashlib.sha256(), io.BytesIO()
    with path.open("rb") as file, GzipFile("", "wb", fileobj=out, mtime=0) as packed:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            packed.write(chunk)
    return out.getvalue(), digest.hexdigest()
