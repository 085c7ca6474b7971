"""The limits and the budget that all replicas share, as a call meets them: pure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from services.reviewer.providers.settings import Provider, TokenUsage
from shared.errors import SlowDown


class CallLimit(StrEnum):
    """The `reason` of a SlowDown that a caller tells apart."""

    # The call cannot begin in time.
    LATE = "late"
    # The circuit of the provider is open, or that of all providers.
    OUT_OF_USE = "out_of_use"
    # The provider told a replica to wait.
    PROVIDER_PAUSED = "provider_paused"
    # A call could cost more than is left: the run is paused, nothing fails.
    BUDGET_REACHED = "budget_reached"

    def error(self, message: str, retry_after_seconds: float) -> SlowDown:
        return SlowDown(message, retry_after_seconds=retry_after_seconds, reason=self)


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
        """Pause the provider for all replicas after a 429; a longer pause stays."""
        ...

    def answered(self, provider: Provider) -> None:
        """Note that the provider answered: its 429s have ended. Never raises."""
        ...
