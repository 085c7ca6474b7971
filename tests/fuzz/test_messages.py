"""Ten thousand spoiled messages are refused, or become rows and faults; nothing else."""

import random

import pytest
from dramatiq.errors import DecodeError

from services.writer.erasure import letter_records
from services.writer.slices.decode import map_rows, read_slice
from shared.broker import make_broker
from shared.broker.envelope import receive
from shared.messages import ContractError, FetchPage, ReviewAvis, WriteSlice
from tests.fuzz.cases import Fuzz
from tests.fuzz.messages import Sent, bodies_of, slice_for, some_records
from tests.integration.writer.records import Records

_RECORDED = Records().recorded
_ACTORS = {each.ACTOR: each for each in (FetchPage, WriteSlice, ReviewAvis)}


@pytest.fixture(autouse=True)
def _encoder() -> None:
    make_broker("memory://").close()


def _make(rng: random.Random) -> tuple[str, bytes]:
    message: Sent
    if (kind := rng.randrange(10)) < 1:
        message = FetchPage(rng.randint(1, 9), 1)
    elif kind < 2:
        message = ReviewAvis([rng.randint(1, 99) for _ in range(rng.randint(0, 3))])
    else:
        empty = WriteSlice(1, 1, 1, 0, "2026-08-05T12:00:00+00:00", "")
        message = slice_for(empty, some_records(_RECORDED, rng), rng)
    return message.QUEUE, bodies_of(message, rng)


def become(case: tuple[str, bytes]) -> str:
    """Read it as a worker does, up to the database, and keep it as a dead letter."""
    queue, body = case
    letter = letter_records.read_letter(queue, body)
    letter_records.cut_silenced(letter.body, letter_records.Silenced(frozenset(letter.sirens)))
    try:
        message = receive(queue, body)
    except DecodeError:
        return "dead letter: no message"
    if message.actor_name not in _ACTORS:
        return "dead letter: no such actor"
    try:
        wanted = _ACTORS[message.actor_name].from_wire(message.kwargs, *message.args)
        if not isinstance(wanted, WriteSlice):
            return f"work for {message.actor_name}"
        read = read_slice(wanted)
        rows, faults = map_rows(read.sent)
    except ContractError:
        return "dead letter: broken contract"
    assert len(rows) + len(faults) + len(read.faults) == read.records
    if faults or read.faults:
        return "failed items and rows" if rows else "failed items"
    return "rows" if rows else "an empty slice"


def test_a_spoiled_message_is_refused_or_becomes_rows_and_faults(fuzz: Fuzz) -> None:
    tally = fuzz("messages", _make, become)
    tally.require_variety(
        "dead letter: no message",
        "dead letter: no such actor",
        "dead letter: broken contract",
        "work for fetch_page",
        "work for review_avis",
        "failed items and rows",
        "failed items",
        "rows",
        "an empty slice",
    )
