"""The scope of an import. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Scope:
    """The establishments of a run: those of the places, narrowed by the other fields.

    No place means every place. `sirets` replace all other fields. Lists are unions; the range of
    sirets includes both ends.
    """

    departements: Sequence[str] = ()
    communes: Sequence[str] = ()
    activites: Sequence[str] = ()
    etat_administratif: str | None = None
    siret_from: str | None = None
    siret_to: str | None = None
    sirets: Sequence[str] = ()

    @classmethod
    def of_unit(cls, siren: str) -> Self:
        return cls(siret_from=f"{siren}00000", siret_to=f"{siren}99999")
