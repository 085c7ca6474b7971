"""The scope of an import. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

from shared.sirene.reference import departement_of

SIRETS_PER_WINDOW = 100
"""The most sirets of a request: its URL holds them, and one page all of their records."""


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

    @property
    def is_whole(self) -> bool:
        """Say whether every establishment is in the scope, the closed ones too."""
        return not any(getattr(self, each.name) for each in fields(self))

    def holds_commune(self, code_commune: str) -> bool:
        """Return whether all open establishments of the commune are in the scope."""
        if self.activites or self.siret_from or self.siret_to or self.sirets:
            return False
        places = (*self.departements, *self.communes)
        is_inside = (
            not places
            or code_commune in self.communes
            or departement_of(code_commune) in self.departements
        )
        return is_inside and self.etat_administratif in {None, "A"}
