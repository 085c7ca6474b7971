"""The rate of renewals, in the budget's row: how many begin in a day, of all replicas together.

Slots follow GCRA (`shared.db.gcra`): they lie at even distances over the day. A slot is taken
before its renewal is published: an unused slot is lost, never used twice.
"""

import re

from sqlalchemy import Connection, text

from shared.db import gcra
from shared.errors import UserError

_DAY_SECONDS = 86_400
# The relay may stand still this long and lose no slot.
_CREDIT_SECONDS = 60
# No 24 hours have more than a day's number, the credit included.
_SHARE = _DAY_SECONDS / (_DAY_SECONDS + _CREDIT_SECONDS)
_LIMIT = gcra.Limit("renewals_arrival_at", "renewals_per_day", _DAY_SECONDS, share=_SHARE)
_CREDIT = f"make_interval(secs => {_CREDIT_SECONDS})"

_NO_LIMIT = "none"
_NUMBER = re.compile(r"\d{1,9}")

# The next slot is never more than one distance ahead: another rate, or a clock that was ahead, may
# have left it there.
_TAKE = text(f"""
    WITH held AS (
      SELECT id, renewals_arrival_at AS arrival_at, {_LIMIT.interval()} AS distance,
        clock_timestamp() AS at
      FROM review_budget WHERE renewals_per_day > 0
      FOR UPDATE),
    free AS (
      SELECT *, greatest(least(arrival_at, at + distance), at - {_CREDIT}) AS next_slot FROM held),
    taken AS (
      SELECT *, CASE WHEN next_slot <= at THEN least(:wanted, 1 + floor(
        extract(epoch FROM at - next_slot) / extract(epoch FROM distance)))::int ELSE 0 END AS slots
      FROM free)
    UPDATE review_budget SET renewals_arrival_at = next_slot + slots * distance
    FROM taken
    WHERE review_budget.id = taken.id AND (slots > 0 OR next_slot < arrival_at)
    RETURNING slots
""")
_SET = text("UPDATE review_budget SET renewals_per_day = :per_day")


def parse_renewals_per_day(words: str) -> int | None:
    """Read a number of renewals, None for "none". Raises UserError for anything else."""
    if words.strip() == _NO_LIMIT:
        return None
    if _NUMBER.fullmatch(words.strip()) is None:
        raise UserError(
            f"renewals a day are a number, or {_NO_LIMIT} for no limit, not {words[:40]!r}"
        )
    return int(words)


def set_renewals_per_day(connection: Connection, per_day: int | None) -> None:
    """Set how many renewals may begin in a day: 0 holds them, None is no limit."""
    connection.execute(_SET, {"per_day": per_day})


def most_at_once(per_day: int) -> int:
    """Return how many slots can be free at one moment."""
    return 1 + per_day * _CREDIT_SECONDS // _DAY_SECONDS


def take_renewals(connection: Connection, wanted: int) -> int:
    """Take slots for at most `wanted` renewals, and return how many may begin now."""
    if wanted <= 0:
        return 0
    return connection.execute(_TAKE, {"wanted": wanted}).scalar_one_or_none() or 0
