"""The limits that stand against a call for now, as reasons of a SlowDown: pure."""

from enum import StrEnum


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
