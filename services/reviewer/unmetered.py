"""A meter for those who neither share a limit nor pay."""

from decimal import Decimal

from services.reviewer.metering import Reservation
from services.reviewer.providers import Provider, Usage


class Unmetered:
    def reserve(self, provider: Provider, *, tokens: int, cost_eur: Decimal) -> Reservation:  # noqa: ARG002  # the protocol's
        return Reservation(provider.name, None, cost_eur)

    def settle(self, reservation: Reservation, usage: Usage | None) -> None:
        """Keep nothing."""
