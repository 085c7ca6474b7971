"""Dead letters: messages that no actor could handle, shown, published again or deleted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any

import dramatiq
from dramatiq.errors import DecodeError
from sqlalchemy import Connection, Engine, RowMapping, text

from services.operator.output import joined
from shared import wire
from shared.broker import BrokerError, QueueFull, QueueMismatch, make_broker, replay
from shared.errors import UserError
from shared.messages import FetchPage, ReviewAvis, WriteSlice

_LATEST = text("""
    SELECT id, queue, actor, reason, archived_at, replayed_at
    FROM dead_letters WHERE CAST(:before AS bigint) IS NULL OR id < :before
    ORDER BY id DESC LIMIT :limit
""")
_WAITING = text("""
    SELECT id FROM dead_letters WHERE replayed_at IS NULL ORDER BY id LIMIT :limit
""")
_ONE = text("SELECT * FROM dead_letters WHERE id = :id")
_CHOSEN = text("""
    SELECT id, replayed_at FROM dead_letters
    WHERE CASE WHEN :by_id THEN id = ANY(CAST(:ids AS bigint[])) ELSE replayed_at IS NULL END
    ORDER BY id
""")
# The row stays locked until the replay is committed: a letter that comes back at once is archived
# after that, and counts as not replayed.
_HOLD = text("SELECT queue, body, replayed_at FROM dead_letters WHERE id = :id FOR UPDATE")
_REPLAYED = text("UPDATE dead_letters SET replayed_at = now() WHERE id = :id")
_DROP = text("DELETE FROM dead_letters WHERE id = ANY(CAST(:ids AS bigint[])) RETURNING id")

_CONTRACTS = {contract.ACTOR: contract for contract in (FetchPage, WriteSlice, ReviewAvis)}
# Fields of these names hold people's data.
_RECORDS = frozenset({"records", "digests"})
_UNSHOWN = frozenset({"body", "sirens"})
_LONGEST_SHOWN = 40
_MOST_SHOWN = 100


def latest(
    connection: Connection, limit: int, *, before: int | None = None
) -> Sequence[RowMapping]:
    """Return the latest letters, or those before the one with this id."""
    return connection.execute(_LATEST, {"limit": limit, "before": before}).mappings().all()


def oldest_waiting(connection: Connection, limit: int) -> list[int]:
    """Return the ids of the oldest letters that were not replayed yet."""
    return list(connection.execute(_WAITING, {"limit": limit}).scalars())


def open_broker(url: str) -> dramatiq.Broker:
    """Raises UserError for a broker in the memory of another process."""
    if url.startswith("memory:"):
        raise UserError("another process cannot publish to a memory:// broker")
    return make_broker(url)


def opened(connection: Connection, letter_id: int) -> dict[str, object]:
    """Return the letter with its envelope and those fields that are no people's data.

    Raises UserError where the id is unknown.
    """
    letter = connection.execute(_ONE, {"id": letter_id}).mappings().one_or_none()
    if letter is None:
        raise _unknown([letter_id])
    body = bytes(letter["body"])
    shown = {str(name): value for name, value in letter.items() if name not in _UNSHOWN}
    return shown | {"body_bytes": len(body)} | _envelope(body)


def choose(connection: Connection, ids: Sequence[int], *, again: bool) -> list[int]:
    """Return the ids of these letters, or of all that were not replayed yet.

    Raises UserError where an id is unknown, or was replayed and `again` is false.
    """
    rows = connection.execute(_CHOSEN, {"by_id": bool(ids), "ids": list(ids)}).all()
    if unknown := set(ids) - {row.id for row in rows}:
        raise _unknown(unknown)
    replayed = [row.id for row in rows if row.replayed_at is not None]
    if replayed and not again:
        raise UserError(f"replayed already: {joined(replayed)}; --again sends it once more")
    return [row.id for row in rows]


def replay_each(
    engine: Engine, ids: Sequence[int], open_broker: Callable[[], dramatiq.Broker], *, again: bool
) -> Iterator[tuple[int, str | None]]:
    """Publish the letters one by one; yield each id with the reason of a refusal, or None.

    A letter is marked as replayed after the broker's confirmation: a kill in between replays it
    twice, which costs its consumer a look at a row. Raises UserError where the broker refuses;
    letters that were yielded before stay replayed.
    """
    broker = open_broker()
    try:
        for letter_id in ids:
            yield letter_id, _replay_one(engine, letter_id, broker, again=again)
    finally:
        broker.close()


def drop(connection: Connection, ids: Sequence[int]) -> int:
    """Delete the letters and return how many. Raises UserError where an id is unknown."""
    dropped = set(connection.execute(_DROP, {"ids": list(ids)}).scalars())
    if unknown := set(ids) - dropped:
        raise _unknown(unknown)
    return len(dropped)


def _replay_one(
    engine: Engine, letter_id: int, broker: dramatiq.Broker, *, again: bool
) -> str | None:
    with engine.begin() as connection:
        letter = connection.execute(_HOLD, {"id": letter_id}).one_or_none()
        if letter is None:
            return "dropped meanwhile"
        if letter.replayed_at is not None and not again:
            return "replayed meanwhile"
        if not letter.body:
            return "its content was erased"
        try:
            replay(broker, letter.queue, bytes(letter.body))
        except DecodeError:
            return "not a message"
        except QueueFull:
            full = f"queue {letter.queue} is full: replay the rest once it is worked off"
            raise UserError(full) from None
        except QueueMismatch:
            raise
        except BrokerError as error:
            raise UserError(f"the broker does not answer: {error}") from None
        connection.execute(_REPLAYED, {"id": letter_id})
    return None


def _envelope(body: bytes) -> dict[str, object]:
    if not body:
        return {"content": "erased"}
    try:
        data = wire.decode(body)
    except wire.NotAMessage:
        return {"content": "not a message"}
    options = data.get("options")
    options = options if isinstance(options, dict) else {}
    named = options.get("last_error")
    return {
        "sent_at_ms": _short(data.get("message_timestamp")),
        "retries": _short(options.get("retries")),
        # The class of the error; its text was never stored.
        "last_error": _short(named) if isinstance(named, str) else None,
        "fields": _fields(data.get("actor_name"), data.get("kwargs")),
    }


def _fields(actor: object, arguments: Any) -> dict[str, object]:
    """Return the message's fields; a value that breaks the contract shows only type and size."""
    if not isinstance(arguments, dict):
        return {}
    contract = _CONTRACTS.get(actor) if isinstance(actor, str) else None
    promised = fields(contract) if contract else ()
    types = {field.name: field.type for field in promised if field.name not in _RECORDS}
    shown = {}
    for name, value in arguments.items():
        show = _short if type(value) is types.get(name) else _size
        shown[str(name)[:_LONGEST_SHOWN]] = show(value)
    return shown


def _short(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) <= _LONGEST_SHOWN:
        return value
    if isinstance(value, list) and len(value) <= _MOST_SHOWN:
        return value if all(type(each) is int for each in value) else _size(value)
    return _size(value)


def _size(value: object) -> str:
    size = f", {len(value)} long" if isinstance(value, str | list | dict) else ""
    return f"<{type(value).__name__}{size}>"


def _unknown(ids: Sequence[int] | set[int]) -> UserError:
    return UserError(f"no such dead letter: {joined(sorted(ids))}")
