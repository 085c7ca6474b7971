"""What stands between a generator and a call that is limited and paid for."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from services.reviewer.providers.settings import Provider, TokenUsage
from shared.errors import SirenadeError, SlowDown


class BudgetReached(SirenadeError):
    """Raised when a call could cost more than is left: the run pauses, nothing fails."""


class ProviderPaused(SlowDown):
    """Raised when the provider has told some replica to wait: for how much longer."""


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

        `tokens` and `cost_eur` are the most that the call can take. Raises BudgetReached,
        ProviderPaused, and SlowDown where the wait would be too long.
        """
        ...

    def settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        """Replace what was set aside by what was used; None: the call was certainly not billed."""
        ...

    def pause(self, provider: Provider, seconds: float) -> None:
        """Have nobody ask the provider for so long; a longer pause stays as it is."""
        ...
