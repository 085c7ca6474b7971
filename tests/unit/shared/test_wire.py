"""A small message cannot become a large amount of memory."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
import zstandard

from services.writer.slices.decode import read_slice
from shared import wire
from shared.messages import RECORDS_PER_SLICE, ContractError, ReviewAvis, WriteSlice

_MIB = 1 << 20
_SLICE: dict[str, Any] = {
    "batch_id": 1,
    "page": 2,
    "fetch_id": 3,
    "slice": 0,
    "fetched_at": "2026-08-05T10:00:00+00:00",
    "records": "[]",
}


@contextmanager
def at_most(most_bytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most_bytes
    finally:
        tracemalloc.stop()


def _packed(head: bytes, *rest: bytes) -> bytes:
    return zstandard.compress(b"\0".join([head, *rest]))


def _overlapping(texts: int) -> bytes:
    """Every other text has a length below zero: each begins where the one before began."""
    lengths = {str(n): (-1 if n % 2 else 1) << 20 for n in range(texts)}
    lengths["last"] = 1 << 20
    return _packed(b'{"kwargs":{}}', orjson.dumps(lengths), b"x" * _MIB)


@pytest.mark.parametrize(
    "make",
    [
        lambda: _packed(b'{"kwargs":{"avis_ids":[' + b"0," * (15 * _MIB) + b"0]}}"),
        lambda: _packed(b"[" + b"[{}]," * (6 * _MIB) + b"0]"),
        lambda: _packed(b'{"kwargs":"' + b"x" * (63 * _MIB) + b'"}'),
        lambda: _overlapping(1000),
        lambda: _packed(b'{"kwargs":{}}', b'{"a":true}', b"x"),
        lambda: _packed(b'{"kwargs":{}}', b'{"a":1.0}', b"x"),
    ],
    ids=["numbers", "lists", "one text", "texts that overlap", "a truth", "a fraction"],
)
def test_a_bomb_is_no_message(make: Callable[[], bytes]) -> None:
    body = make()
    assert len(body) < 100_000
    with at_most(80 * _MIB), pytest.raises(wire.NotAMessage):
        wire.decode(body)


@pytest.mark.parametrize(
    "records",
    [
        "[" + "0," * RECORDS_PER_SLICE + "0]",
        "[" + "0," * (4 * _MIB) + "0]",
        "[" + "[[[{}]]]," * _MIB + "0]",
        "[\n" + "\n," * (4 * _MIB) + "\n]",
        " " * (33 * _MIB) + "[]",
    ],
    ids=["one too many", "numbers", "lists", "lines", "blanks"],
)
def test_a_slice_of_more_than_its_records_is_rejected_before_it_is_read(records: str) -> None:
    with at_most(16 * _MIB), pytest.raises(ContractError, match=r"WriteSlice\.records"):
        read_slice(WriteSlice.from_wire({**_SLICE, "records": records}))


def test_digests_of_more_than_the_records_of_a_slice_are_rejected() -> None:
    with at_most(16 * _MIB), pytest.raises(ContractError, match="digests"):
        WriteSlice.from_wire({**_SLICE, "digests": "2 2" + "\n" * (4 * _MIB)})


def test_a_message_of_more_avis_than_any_relay_sends_is_rejected() -> None:
    with pytest.raises(ContractError, match="avis_ids"):
        ReviewAvis.from_wire({"avis_ids": list(range(10_001))})
