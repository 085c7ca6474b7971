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
    # The circuit of the provider is open, or that of all providers, or it is doubted.
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
    """Admits calls within the limits, the budget and the trust that all replicas share."""

    def closed_seconds(self, provider: Provider) -> float:
        """Return the time until the provider is worth a text, 0 for now. Raises SlowDown."""
        ...

    def reserve(self, provider: Provider, *, tokens: int, cost_eur: Decimal) -> Reservation:
        """Wait for room below the provider's limits, then reserve the money.

        `tokens` and `cost_eur` are the most that the call can use. Raises SlowDown:
        BUDGET_REACHED, PROVIDER_PAUSED, OUT_OF_USE for a provider that is doubted, or without a
        reason when the wait is too long.
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

    def judge(self, provider: Provider, *, accepted: bool) -> float:
        """Note the verdict on a text; return for how long it makes the provider doubted."""
        ...

    def overbilled(self, provider: Provider) -> float:
        """Note that a call billed more than it can take; return as `judge` does."""
        ...
