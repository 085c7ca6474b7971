"""CPU of what the writer does before the database, stage by stage, on the slices themselves."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from services.writer.slices.decode import map_rows, read_slice
from shared.messages import WriteSlice

ResultT = TypeVar("ResultT")


def stage_seconds(slices: Sequence[WriteSlice]) -> dict[str, float]:
    """Seconds by stage for all slices; `read` is all that an unchanged record costs."""
    read, sent = _cpu(lambda: [read_slice(message).sent for message in slices])
    bare = [replace(message, digests="") for message in slices]
    without, _ = _cpu(lambda: [len(read_slice(message).sent) for message in bare])
    decode, _ = _cpu(lambda: [len(one.split().siret) for each in sent for one in each])
    mapping, _ = _cpu(lambda: [len(map_rows(each)[0]) for each in sent])
    return {
        "read": read,
        "read without digests": without,
        "decode": decode,
        "decode, map to COPY lines": mapping,
    }


def _cpu(work: Callable[[], ResultT]) -> tuple[float, ResultT]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result
