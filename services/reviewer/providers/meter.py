"""The meter of calls: limits and a budget that all replicas share."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from services.reviewer.providers.settings import Provider, TokenUsage


@dataclass(frozen=True, slots=True)
class Reservation:
    """`id` belongs to the meter; None where the reservation has no row."""

    provider: str
    id: int | None
    cost_eur: Decimal


class Meter(Protocol):
    """Admits calls within the limits and the budget."""

    def reserve(self, provider: Provider, *, tokens: int, cost_eur: Decimal) -> Reservation:
        """Wait for room below the provider's limits, then reserve the money.

        `tokens` and `cost_eur` are the most that the call can use. Raises SlowDown:
        BUDGET_REACHED, PROVIDER_PAUSED, or without a reason when the wait is too long.
        """
        ...

    def settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        """Replace the reservation by the usage; None: the call was certainly not billed."""
        ...

    def pause(self, provider: Provider, seconds: float) -> None:
        """Pause the provider for all replicas; a longer pause stays."""
        ...
