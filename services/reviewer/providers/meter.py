"""The meter of calls: limits and a budget that all replicas share."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from services.reviewer.providers.settings import Provider, TokenUsage
from shared.errors import SlowDown

# The message returns after this time: texts of a run that is resumed go on at once.
_BUDGET_PAUSE_SECONDS = 1.0


class BudgetReached(SlowDown):
    """Raised when a call could cost more than is left: the run is paused, nothing fails."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after_seconds=_BUDGET_PAUSE_SECONDS)


class ProviderPaused(SlowDown):
    """Raised while the provider is paused, because it told a replica to wait."""


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

        `tokens` and `cost_eur` are the most that the call can use. Raises BudgetReached,
        ProviderPaused, or SlowDown when the wait is too long.
        """
        ...

    def settle(self, reservation: Reservation, usage: TokenUsage | None) -> None:
        """Replace the reservation by the usage; None: the call was certainly not billed."""
        ...

    def pause(self, provider: Provider, seconds: float) -> None:
        """Pause the provider for all replicas; a longer pause stays."""
        ...
