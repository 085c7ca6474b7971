"""Amounts of euros as people write and read them. Never a float."""

import re
from decimal import Decimal

from shared.errors import UserError
from shared.terminal.words import euros

MOST_EUROS = Decimal(100_000)

_AMOUNT = re.compile(r"\d{1,9}(?:[.,]\d{1,2})?")


def parse_cap(words: str) -> Decimal:
    """Read `50`, `12.50` or `12,50`. Raises UserError for anything else, and for absurd sums."""
    if _AMOUNT.fullmatch(words.strip()) is None:
        raise UserError(f"a cap is an amount of euros such as 50 or 12.50, not {words[:40]!r}")
    amount = Decimal(words.strip().replace(",", "."))
    if amount > MOST_EUROS:
        raise UserError(f"a cap of more than {euros(MOST_EUROS)} is held to be a slip of the pen")
    return amount


def plain(amount: Decimal) -> str:
    """For a program: a JSON number would be read as a float, and `str` may write an exponent."""
    return f"{amount:f}"


def plainly(value: object) -> str:
    """What `json.dumps` is to write for a value that it does not know."""
    return plain(value) if isinstance(value, Decimal) else str(value)
