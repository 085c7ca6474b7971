"""The scope of an import. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """What a run imports: places, narrowed by the rest; no place is every place.

    Sirets stand instead of all that. Lists are unions; the range includes both ends.
    """

    departements: Sequence[str] = ()
    communes: Sequence[str] = ()
    activites: Sequence[str] = ()
    etat_administratif: str | None = None
    siret_from: str | None = None
    siret_to: str | None = None
    sirets: Sequence[str] = ()
