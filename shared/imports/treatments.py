"""INSEE's treatments of the register: its collections, and how far each is complete. Pure.

Dates of treatment are INSEE's own: without an offset, Paris time.
"""

from dataclasses import dataclass
from datetime import datetime

COLLECTIONS = ("etablissements", "unites_legales")


@dataclass(frozen=True)
class Watermark:
    """Everything that INSEE treated up to `treated_until` is in the database."""

    treated_until: datetime
    # INSEE's own date of the publication that brought it, where a walk did.
    made_available_at: datetime | None = None


@dataclass(frozen=True)
class TreatmentWindow:
    """The treatments of a collection that a run brings, both ends included; None: no beginning."""

    collection: str
    treated_from: datetime | None
    treated_until: datetime
    made_available_at: datetime | None = None
