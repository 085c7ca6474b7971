"""The receipt of a slice in the shard of its rows, while its counters are in another database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from services.writer.slices.receipts import OUTCOMES, place_of
from shared.messages import WriteSlice

_PLACE = "batch_id = :batch_id AND page = :page AND fetch_id = :fetch_id AND slice = :slice"
# It waits for a commit that a writer sent before it was killed.
_LEAVE = text("""
    INSERT INTO shard_receipts (batch_id, page, fetch_id, slice, records, sirets,
      inserted, updated, unchanged, failed)
    VALUES (:batch_id, :page, :fetch_id, :slice, :records, string_to_array(:sirets, ' '),
      0, 0, 0, 0)
    ON CONFLICT DO NOTHING
    RETURNING 1
""")
_NOTE = text(f"""
    UPDATE shard_receipts SET {", ".join(f"{name} = :{name}" for name in OUTCOMES)} WHERE {_PLACE}
""")
_RECALL = text(f"SELECT {', '.join(OUTCOMES)} FROM shard_receipts WHERE {_PLACE}")


def leave(connection: Connection, message: WriteSlice, records: int, sirets: Sequence[str]) -> bool:
    """Leave the receipt before the rows; return False where they are written already."""
    receipt = {**_place(message), "records": records, "sirets": " ".join(sirets)}
    return connection.execute(_LEAVE, receipt).one_or_none() is not None


def note(connection: Connection, message: WriteSlice, outcomes: Mapping[str, int]) -> None:
    """Keep the outcomes on the receipt, for a later delivery that has to count them."""
    connection.execute(_NOTE, {**_place(message), **outcomes})


def recall(connection: Connection, message: WriteSlice) -> dict[str, Any]:
    """Return the outcomes that were noted."""
    row = connection.execute(_RECALL, _place(message)).one()
    return {name: getattr(row, name) for name in OUTCOMES}


def _place(message: WriteSlice) -> dict[str, int]:
    return {**place_of(message), "slice": message.slice}
