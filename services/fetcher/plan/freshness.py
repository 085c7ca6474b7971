"""The state of a collection at INSEE. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Freshness:
    """The last treatment and publication of a collection, in Paris time without an offset."""

    is_up: bool
    treated_until: datetime
    made_available_at: datetime | None
