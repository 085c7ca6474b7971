"""What stands between a generator and a call that is limited and paid for."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from services.reviewer.providers import Provider, Usage
from shared.errors import SirenadeError


class BudgetReached(SirenadeError):
    """Raised when a call could cost more than is left: the run pauses, nothing fails."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """`id` is the meter's own; None where nothing is kept of it."""

    provider: str
    id: int | None
    cost_eur: Decimal


class Meter(Protocol):
    """The limits and the budget that all replicas share."""

    def reserve(self, provider: Provider, *, tokens: int, cost_eur: Decimal) -> Reservation:
        """Wait for room below the provider's limits, then set the money aside.

        `tokens` and `cost_eur` are the most that the call can take. Raises BudgetReached, and
        SlowDown where the wait would be too long.
        """
        ...

    def settle(self, reservation: Reservation, usage: Usage | None) -> None:
        """Replace what was set aside by what was used; None: the call was certainly not billed."""
        ...
