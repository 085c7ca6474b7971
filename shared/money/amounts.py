"""Amounts of euros as people write and read them. Never a float."""

import re
from decimal import Decimal

from shared.errors import UserError
from shared.terminal.words import euros

MOST_EUROS = Decimal(100_000)

_AMOUNT = re.compile(r"\d{1,9}(?:[.,]\d{1,2})?")


def parse_cap(words: str) -> Decimal:
    """Read "50", "12.50" or "12,50". Raises UserError for anything else and for absurd sums."""
    if _AMOUNT.fullmatch(words.strip()) is None:
        raise UserError(f"a cap is an amount of euros such as 50 or 12.50, not {words[:40]!r}")
    amount = Decimal(words.strip().replace(",", "."))
    if amount > MOST_EUROS:
        raise UserError(f"a cap of more than {euros(MOST_EUROS)} looks like a slip of the pen")
    return amount


def plain(amount: Decimal) -> str:
    """Write an amount for a program: JSON numbers are floats, and `str` may write an exponent."""
    return f"{amount:f}"


def json_default(value: object) -> str:
    """Write a value that `json.dumps` does not know."""
    return plain(value) if isinstance(value, Decimal) else str(value)
