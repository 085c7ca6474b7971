"""The records inside a dead letter: their numbers, and the letter without some of them. Pure."""

from dataclasses import dataclass
from typing import Any

import orjson

from shared import wire
from shared.messages import WRITE_QUEUE
from shared.sirene.identifiers import is_siret, owner_of, siren_of


@dataclass(frozen=True, slots=True)
class Silenced:
    """Units whose raw records must not be kept, and single establishments of other units."""

    sirens: frozenset[str] = frozenset()
    sirets: frozenset[str] = frozenset()

    def __contains__(self, number: str | None) -> bool:
        """Return whether the siren or siret is silenced; None, an unknown person, always is."""
        return number is None or number[:9] in self.sirens or number in self.sirets

    def __bool__(self) -> bool:
        return bool(self.sirens or self.sirets)


@dataclass(frozen=True, slots=True)
class Letter:
    """A body, and the numbers of its records as far as a record has one."""

    body: bytes
    sirens: tuple[str, ...] = ()
    sirets: tuple[str, ...] = ()


def read_letter(queue: str, body: bytes, *, with_records: bool = True) -> Letter:
    """Read the numbers of the records; drop the records that have none.

    Only the queue of slices carries people's data. A slice whose records are no list keeps its
    envelope alone, and a body that is no message becomes empty: neither could be replayed. Without
    records, for a database that no erasure reaches, nothing is lost either: the sweeper lets the
    INSEE page be fetched again.
    """
    if queue != WRITE_QUEUE or not body:
        return Letter(body)
    message = _decoded(body)
    if message is None:
        return Letter(b"")
    records = _records(message) if with_records else None
    if records is None:
        return Letter(_encoded(message, ""))
    known = [record for record in records if owner_of(record) is not None]
    return _cut(body, message, records, known)


def cut_silenced(body: bytes, silenced: Silenced) -> Letter:
    """Cut out the records of these units and establishments."""
    message = _decoded(body)
    records = None if message is None else _records(message)
    if message is None or records is None:
        return Letter(b"")
    kept = [record for record in records if owner_of(record) not in silenced]
    return _cut(body, message, records, kept)


def _cut(body: bytes, message: dict[str, Any], records: list[Any], kept: list[Any]) -> Letter:
    if len(kept) < len(records):
        body = _encoded(message, _dumped(kept))
    owners = {owner for record in kept if (owner := owner_of(record)) is not None}
    return Letter(
        body,
        sirens=tuple(sorted({siren_of(owner) for owner in owners})),
        sirets=tuple(sorted(owner for owner in owners if is_siret(owner))),
    )


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        return wire.decode(body)
    except wire.NotAMessage:
        return None


def _encoded(message: dict[str, Any], records: str) -> bytes:
    """Encode the message with these records and without digests, which the writer computes again.

    Empty where the envelope is nested too deeply to be written again.
    """
    arguments = {**message["kwargs"], "records": records} if _has_records(message) else {}
    arguments.pop("digests", None)
    try:
        return wire.encode({**message, "args": [], "kwargs": arguments})
    except TypeError:
        return b""


def _dumped(records: list[Any]) -> str:
    """Write the records as JSON; empty where one is nested too deeply to be written again."""
    try:
        return orjson.dumps(records).decode()
    except TypeError:
        return ""


def _has_records(message: dict[str, Any]) -> bool:
    arguments = message.get("kwargs")
    return isinstance(arguments, dict) and "records" in arguments


def _records(message: dict[str, Any]) -> list[Any] | None:
    """Return None where the message holds something else than one list of records."""
    if not _has_records(message) or message.get("args"):
        return None
    try:
        records = orjson.loads(message["kwargs"]["records"])
    except (orjson.JSONDecodeError, TypeError):
        return None
    return records if isinstance(records, list) else None
