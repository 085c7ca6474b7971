"""The log file of a service, shared by its processes on one machine.

`SERVICE.jsonl` is the active file. At its largest size it is closed: renamed once, to
`SERVICE.<instant>.jsonl`, and never changed again, so that an archive needs no lock. Few are kept.
"""

import itertools
import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from concurrent_log_handler import ConcurrentRotatingFileHandler

FILE_BYTES = 50_000_000
CLOSED_FILES = 2
# The services that write log files; the simulator is no part of production.
SERVICES = ("fetcher", "writer", "reviewer", "operator")
# The first lines may be no events: a full disk cuts lines.
_LINES_LOOKED_AT = 10
_CLOSED_AT = "%Y%m%dT%H%M%S.%fZ"


def log_bytes_cap(services: int = len(SERVICES)) -> int:
    """Return the most bytes that log files of this many services take on one machine.

    Replicas share the file of their service.
    """
    return services * (1 + CLOSED_FILES) * FILE_BYTES


def closed_files(directory: Path) -> list[tuple[str, Path]]:
    """Return service and path of each closed file, oldest first."""
    found = [(_closed_at(path), path) for path in directory.glob("*.*Z.jsonl")]
    return [(path.name.split(".", 1)[0], path) for closed_at, path in sorted(found) if closed_at]


def _closed_at(path: Path) -> str:
    """Return the closing instant as a text that sorts by time; empty for other names."""
    stamp = path.name.split(".", 1)[1].removesuffix(".jsonl")
    try:
        datetime.strptime(stamp, _CLOSED_AT)  # noqa: DTZ007  a check of the form
    except ValueError:
        return ""
    return stamp


class LogFile(ConcurrentRotatingFileHandler):
    """The log file of a service in `directory`, which must exist.

    `write` never raises: `failure` says in words what kept the last line out of the file.
    """

    def __init__(
        self,
        directory: Path,
        service: str,
        *,
        file_bytes: int = FILE_BYTES,
        closed: int = CLOSED_FILES,
    ) -> None:
        super().__init__(
            directory / f"{service}.jsonl",
            maxBytes=file_bytes,
            backupCount=closed,
            encoding="utf-8",
            newline="",
        )
        self.failure: str | None = None
        self._service = service

    def write(self, line: str) -> bool:
        """Add a line; return whether the file has it."""
        self.acquire()
        try:
            self.failure = None
            self.emit(logging.LogRecord(self._service, logging.INFO, "", 0, line, None, None))
            written = not self._has_failed()
            if not written:
                self._let_go()
            return written
        finally:
            self.release()

    def close_before(self, instant: datetime) -> None:
        """Close the active file, to be archived, if its first event is older than this instant.

        No older file is deleted for it: those are about to be archived, too.
        """
        self.acquire()
        try:
            self._do_lock()
            try:
                begun = begun_at(Path(self.baseFilename))
                if begun is not None and begun < instant:
                    self._close_active()
            finally:
                self._do_unlock()
        finally:
            self.release()

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802  logging's name
        if self.stream is None or self.stream.closed:
            self.stream = self.do_open()
        line_bytes = len(record.getMessage().encode()) + 1
        size = os.fstat(self.stream.fileno()).st_size
        return size > 0 and size + line_bytes > self.maxBytes

    def doRollover(self) -> None:  # noqa: N802  logging's name
        self._close_active()
        active = Path(self.baseFilename)
        mine = [path for name, path in closed_files(active.parent) if name == self._service]
        for oldest in mine[: -self.backupCount]:
            oldest.unlink(missing_ok=True)

    def _close_active(self) -> None:
        """Rename once, so that a kill leaves one of the two names."""
        self._let_go()
        active = Path(self.baseFilename)
        while (closed := active.with_suffix(f".{datetime.now(UTC):{_CLOSED_AT}}.jsonl")).exists():
            pass
        try:
            active.rename(closed)
        except OSError as error:
            self.failure = _reason(error)

    def do_write(self, msg: str) -> None:
        # A file that cannot be closed must not grow instead.
        if self.failure is None:
            super().do_write(msg)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        del record
        self.failure = _reason(sys.exc_info()[1])

    def _has_failed(self) -> bool:
        return self.failure is not None

    def _let_go(self) -> None:
        """Close the stream and drop its buffer, whose lines would be written twice."""
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()


def _reason(error: BaseException | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f": {os.fspath(error.filename)}" if isinstance(error.filename, str) else ""
        return f"{error.strerror}{where}"
    return type(error).__name__


def timestamp_of(event: Mapping[str, Any]) -> datetime | None:
    """Return the instant of an event; None where it names none."""
    try:
        instant = datetime.fromisoformat(event["timestamp"])
    except (KeyError, TypeError, ValueError):
        return None
    return instant if instant.tzinfo else None


def begun_at(path: Path) -> datetime | None:
    """Return the instant of a file's first event; None where there is no file or no event."""
    with suppress(OSError), path.open("rb") as file:
        for line in itertools.islice(file, _LINES_LOOKED_AT):
            with suppress(ValueError):
                event = orjson.loads(line)
                if isinstance(event, dict) and (instant := timestamp_of(event)):
                    return instant
    return None


def active_files(directory: Path) -> list[str]:
    """Return the services that have an active file."""
    return sorted(path.stem for path in directory.glob("*.jsonl") if path.name.count(".") == 1)
