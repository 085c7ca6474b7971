"""The destinations of a line: the stream, and the file while it can be written."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from shared.logs.files import LogFile

# A full disk or a missing folder is not tried again with each line.
_TRY_AGAIN_SECONDS = 30.0


class Output:
    """It never raises and never waits for a file: a broken log stops no work.

    `tell` gets one event when the file fails and one when it is written again.
    """

    def __init__(
        self,
        stream: TextIO,
        file: LogFile | None,
        tell: Callable[..., None],
        *,
        try_again_seconds: float = _TRY_AGAIN_SECONDS,
    ) -> None:
        self._stream = stream
        self._file = file
        self._tell = tell
        self._try_again_seconds = try_again_seconds
        self._lock = threading.RLock()
        self._lost = 0
        self._quiet_until = 0.0

    def write(self, line: str) -> None:
        with self._lock:
            self._print(line)
            if self._file is not None:
                self._keep(self._file, line)

    def _print(self, line: str) -> None:
        # Standard output may be a file on a full disk, or a pipe whose reader is gone.
        with suppress(OSError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()

    def _keep(self, file: LogFile, line: str) -> None:
        if time.monotonic() < self._quiet_until:
            self._lost += 1
            return
        # A full disk may have cut the last line: the next one begins on a new line.
        if file.write(f"\n{line}" if self._lost else line):
            if lost := self._lost:
                self._lost = 0
                self._tell("log files are written again", level="warning", lines_missing=lost)
            return
        self._quiet_until = time.monotonic() + self._try_again_seconds
        first, self._lost = not self._lost, self._lost + 1
        if first:
            self._tell("log files are not written", level="error", reason=file.failure)
