"""How far INSEE's collections go."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Freshness:
    """How far a collection goes, in Paris time without offset, and whether it can be asked."""

    is_up: bool
    treated_until: datetime
    made_available_at: datetime | None
