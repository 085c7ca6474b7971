"""The memory of lost connections: drivers leave cycles, with all that they were about to send."""

import gc
import threading
import time

# An outage loses many connections, one after the other.
_EVERY_SECONDS = 5.0
_collecting = threading.Lock()
_last_seconds = -_EVERY_SECONDS


def collect() -> None:
    """Free the cycles of a lost connection now, unless that was done a moment ago."""
    global _last_seconds  # noqa: PLW0603  # there is one memory in a process
    if not _collecting.acquire(blocking=False):
        return
    try:
        if time.monotonic() - _last_seconds >= _EVERY_SECONDS:
            gc.collect()
            _last_seconds = time.monotonic()
    finally:
        _collecting.release()
