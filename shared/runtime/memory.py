"""Settings of glibc and of the garbage collector for processes that parse megabytes.

By default glibc keeps the memory that a thread freed. Measured on a fetcher with four threads, at
one INSEE page a second: 253 MiB without these settings, 105 MiB with them
(`tests/system/test_memory.py`, sampled with ps).
"""

import ctypes
import gc
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The constants of malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_LARGE = 128 * 1024


def return_freed_memory(*, large: int = _LARGE) -> None:
    """Call once at the start of a process, before its threads; it does nothing without glibc.

    Blocks of `large` bytes return at once. The kernel clears their pages each time, so that a
    process that uses blocks of one size over and over has them kept by a higher bound.
    """
    settings = {
        # Each thread's own arena would keep the memory of its largest INSEE page.
        _M_ARENA_MAX: 2,
        # While it is fixed; glibc would raise it with each block.
        _M_MMAP_THRESHOLD: large,
        _M_TRIM_THRESHOLD: 2 * large,
    }
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in settings.items():
            mallopt(parameter, value)


@contextmanager
def bounded_memory(more_bytes: int) -> Iterator[None]:
    """Let the process take so much more memory meanwhile, then MemoryError; it needs Linux.

    A file can be small and say that it is small, and grow all the same.
    """
    if sys.platform != "linux":
        yield
        return
    taken = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert taken is not None
    before, most = resource.getrlimit(resource.RLIMIT_DATA)
    bound = int(taken[1]) * 1024 + more_bytes
    finite = [each for each in (before, most, bound) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(finite), most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, most))


def freeze_objects() -> None:
    """Call once when the process is built, before its work: it keeps the objects that exist then.

    Each full collection would look through these hundred thousands of objects again. A slice of a
    thousand records is enough to cause one, and collections took the writer 10 of the 17 µs that
    reading an unchanged record took.
    """
    gc.collect()
    gc.freeze()
