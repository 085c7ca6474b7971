"""CPU of what the writer does before the database, stage by stage, on the slices themselves."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import orjson

from services.writer.copying import copy_line
from services.writer.merging import content_hash
from services.writer.reading import map_rows, read_slice
from shared.messages import WriteSlice
from shared.sirene.mapper import split_record

ResultT = TypeVar("ResultT")


def stage_seconds(slices: Sequence[WriteSlice]) -> dict[str, float]:
    """Seconds by stage for all slices; `hash` is digests with what they are made of."""
    decode, _ = _cpu(lambda: [len(orjson.loads(message.records)) for message in slices])
    records = [record for message in slices for record in orjson.loads(message.records)]
    split, parts = _cpu(lambda: [split_record(record) for record in records])
    hashing, _ = _cpu(
        lambda: [
            content_hash(orjson.dumps(block))
            for part in parts
            for block in (part.etablissement, part.unite)
        ]
    )
    sent = [read_slice(message).sent for message in slices]
    mapping, rows = _cpu(lambda: [row for one in sent for row in map_rows(one)[0]])
    lines, _ = _cpu(
        lambda: [
            copy_line(values)
            for row in rows
            for values in (
                row.mapped.unite_values,
                row.mapped.etablissement_values,
                *row.mapped.periodes_values,
            )
        ]
    )
    return {
        "decode": decode,
        "split": split,
        "hash": hashing,
        "map": mapping,
        "COPY lines": lines,
    }


def _cpu(work: Callable[[], ResultT]) -> tuple[float, ResultT]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result
