"""The register that the server serves, and one generated from a seed."""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache, partial
from typing import Protocol

from services.simulator.generation.dates import Calendar
from services.simulator.generation.diffusion import masked_etablissement, masked_unite
from services.simulator.generation.etablissements import Etablissements
from services.simulator.generation.periodes import Histories
from services.simulator.generation.records import RecordBuilder
from services.simulator.options import SimulatorOptions
from services.simulator.query.evaluation import QueriedRow
from services.simulator.query.variables import Collection
from services.simulator.record import Record
from services.simulator.register.changes import Changes
from services.simulator.register.rows import LazyRow, RecordRow

# A SIREN that redirects, and one that may not be shown, follow one unit in this many.
_ONE_IN = 997
_DOUBLON, _SECRET = 5, 11


class Register(Protocol):
    """Units and establishments by position; positions follow the order of the identifiers.

    `version` changes whenever a record may have changed.
    """

    calendar: Calendar

    @property
    def version(self) -> int: ...

    def size(self, collection: Collection) -> int: ...
    def identifier(self, collection: Collection, position: int) -> str: ...
    def position_from(self, collection: Collection, identifier: str) -> int:
        """Return the lowest position whose identifier is not below this one, or this prefix."""
        ...

    def row(self, collection: Collection, position: int, date: str | None) -> QueriedRow: ...
    def record(self, collection: Collection, position: int) -> Record:
        """Return the record as it is served: masked where diffusion is partial."""
        ...

    def unmasked(self, siret: str) -> Record | None: ...
    def redirection(self, siren: str) -> str | None:
        """Return the SIREN of the unit that this one duplicates."""
        ...

    def is_secret(self, siren: str) -> bool: ...


class GeneratedRegister:
    """A register that is a function of the seed; it stores nothing but its changes."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._etablissements = Etablissements(
            options.seed, options.establishments, options.departements, options.day
        )
        self._unites = self._etablissements.unites
        self._records = RecordBuilder(self._etablissements)
        self._histories = Histories(self._etablissements)
        self.calendar = self._etablissements.calendar
        self.changes = Changes()
        # A delta reads it of every unit, and it is made with the whole unit, which takes long.
        self._unite_treated = cache(self._make_unite_treated)
        self._cheap: dict[str, dict[str, Callable[[int], object]]] = {
            "siret": self._cheap_of_siret(),
            "siren": {
                "siren": self._unites.siren,
                "dateDernierTraitementUniteLegale": self._unite_treated,
            },
        }

    @property
    def version(self) -> int:
        return self.changes.version

    def size(self, collection: Collection) -> int:
        return len(self._etablissements) if collection == "siret" else len(self._unites)

    def identifier(self, collection: Collection, position: int) -> str:
        if collection == "siret":
            return self._etablissements.siret(position)
        return self._unites.siren(position)

    def position_from(self, collection: Collection, identifier: str) -> int:
        key = partial(self.identifier, collection)
        return bisect_left(range(self.size(collection)), identifier, key=key)

    def row(self, collection: Collection, position: int, date: str | None) -> QueriedRow:
        if self.changes and self.changes.touches(self.identifier(collection, position)):
            return RecordRow(self._whole(collection, position), date)
        if collection == "siren":
            return LazyRow(
                position, date, self._cheap["siren"], self._unit_periods, self._records.unite
            )
        return LazyRow(
            position, date, self._cheap["siret"], self._periods, self._records.etablissement
        )

    def record(self, collection: Collection, position: int) -> Record:
        whole = self._whole(collection, position)
        return masked_etablissement(whole) if collection == "siret" else masked_unite(whole)

    def unmasked(self, siret: str) -> Record | None:
        position = self.position_from("siret", siret)
        if position == self.size("siret") or self.identifier("siret", position) != siret:
            return None
        return self._whole("siret", position)

    def redirection(self, siren: str) -> str | None:
        number = self._follows(siren)
        return (
            self._unites.siren(number)
            if number is not None and number % _ONE_IN == _DOUBLON
            else None
        )

    def is_secret(self, siren: str) -> bool:
        number = self._follows(siren)
        return number is not None and number % _ONE_IN == _SECRET

    def specials(self) -> dict[str, dict[str, str] | list[str]]:
        """List the SIRENs that redirect, with their targets, and those that may not be shown."""
        duplicates: dict[str, str] = {}
        for number in range(_DOUBLON, len(self._unites), _ONE_IN):
            if (siren := self._unites.spare_siren(number)) is not None:
                duplicates[siren] = self._unites.siren(number)
        spare = map(self._unites.spare_siren, range(_SECRET, len(self._unites), _ONE_IN))
        return {"doublons": duplicates, "non_diffusibles": [siren for siren in spare if siren]}

    def _follows(self, siren: str) -> int | None:
        """Return the number of the unit whose spare SIREN this is."""
        number = self.position_from("siren", siren) - 1
        return number if number >= 0 and self._unites.spare_siren(number) == siren else None

    def _whole(self, collection: Collection, position: int) -> dict[str, object]:
        if collection == "siren":
            return self.changes.applied(self._records.unite(position))
        return self.changes.applied(self._records.etablissement(position))

    def _make_unite_treated(self, number: int) -> object:
        return self._records.unite(number)["dateDernierTraitementUniteLegale"]

    def _periods(self, index: int) -> list[Record]:
        return list(self._histories.periodes(self._etablissements.etablissement(index)))

    def _unit_periods(self, number: int) -> list[Record]:
        periods = self._records.unite(number)["periodesUniteLegale"]
        return periods if isinstance(periods, list) else []

    def _cheap_of_siret(self) -> dict[str, Callable[[int], object]]:
        register, unites = self._etablissements, self._unites
        owner_of, number_at = unites.owner_of, unites.number_at

        def code_commune(index: int) -> str | None:
            commune = register.commune(index)
            return None if commune is None else commune.code

        return {
            "siret": register.siret,
            "siren": lambda index: owner_of(index).siren,
            "codeCommuneEtablissement": code_commune,
            "dateDernierTraitementEtablissement": register.treated,
            "dateDernierTraitementUniteLegale": lambda i: self._unite_treated(unites.number_at(i)),
            "statutDiffusionEtablissement": lambda i: "P" if register.partielle(i) else "O",
            "statutDiffusionUniteLegale": lambda i: "P" if owner_of(i).partielle else "O",
            "categorieJuridiqueUniteLegale": lambda i: owner_of(i).forme,
            "etatAdministratifUniteLegale": lambda i: "C" if unites.cessee(number_at(i)) else "A",
            "activitePrincipaleUniteLegale": lambda i: owner_of(i).metier.naf,
            "etablissementSiege": lambda i: i == register.siege_index(number_at(i)),
        }
