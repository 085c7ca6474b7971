"""Messages as the services send them, then spoiled: their bytes, their envelope, their fields."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dramatiq
import zstandard

from services.fetcher.walk.slices import slice_of
from shared import wire
from shared.messages import FetchPage, ReviewAvis, WriteSlice
from tests.fuzz.mutators import ODD, mutated, spoiled
from tests.integration.writer.records import Record

Sent = FetchPage | WriteSlice | ReviewAvis


def some_records(recorded: Sequence[Record], rng: random.Random) -> list[Any]:
    """Up to four, some of them with faults."""
    chosen: list[Any] = [rng.choice(recorded) for _ in range(rng.randint(0, 4))]
    return [mutated(each, rng) if rng.random() < 0.6 else each for each in chosen]


def slice_for(message: WriteSlice, records: Sequence[Any], rng: random.Random) -> WriteSlice:
    """Return slices as the fetcher cuts them, where it can; else as an older one sent them."""
    if not records:
        return replace(message, records="[]")
    try:
        cut = slice_of(records)
    except (TypeError, ValueError):
        return replace(message, records=json.dumps(records))
    digests = cut.digests
    if rng.random() < 0.2:
        digests = rng.choice(
            ("", digests + "\n", digests[::-1], digests.replace("a", "b"), digests + "\n" * 3)
        )
    return replace(message, records=cut.records, digests=digests)


def _envelope(message: Sent, rng: random.Random) -> dict[str, Any]:
    made: dramatiq.Message[Any] = dramatiq.Message(
        message.QUEUE,
        message.ACTOR,
        (),
        message.to_wire(),
        {},
        message_id=f"m-{rng.getrandbits(64)}",
    )
    return {**made.asdict(), "args": []}


def bodies_of(message: Sent, rng: random.Random) -> bytes:
    """The message on the wire, with faults at one of its layers, or with none."""
    sent = _envelope(message, rng)
    kind = rng.randrange(20)
    if kind == 8:
        sent["actor_name"] = rng.choice(("nobody", FetchPage.ACTOR, "write slice", "Write_slice"))
    elif kind < 2:
        sent = mutated(sent, rng)
    elif kind < 4:
        sent["kwargs"] = mutated(sent["kwargs"], rng)
    elif kind == 4:
        name = rng.choice(list(sent["kwargs"]))
        sent["kwargs"][name] = rng.choice(ODD)
    body = _encoded(sent)
    if kind in {5, 6}:
        return spoiled(body, rng)
    if kind == 7:
        # Return what is inside the frame.
        plain = _decompressed(body)
        return zstandard.ZstdCompressor(level=1).compress(spoiled(plain, rng))
    return body


def _encoded(sent: dict[str, Any]) -> bytes:
    try:
        return wire.encode(sent)
    except (TypeError, ValueError):
        return json.dumps(sent).encode()


def _decompressed(body: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompress(body)
    except zstandard.ZstdError:
        return body
