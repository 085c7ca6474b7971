"""The register that the server serves, and one generated from a seed."""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from services.simulator.errors import BadChangeError
from services.simulator.generation.dates import Calendar
from services.simulator.generation.diffusion import masked_etablissement, masked_unite
from services.simulator.generation.etablissements import Etablissements
from services.simulator.generation.records import RecordBuilder
from services.simulator.options import SimulatorOptions
from services.simulator.query.evaluation import QueriedRow
from services.simulator.query.variables import Collection
from services.simulator.record import Draft, Record, periods_of
from services.simulator.register.changes import SetValues
from services.simulator.register.naf_2025 import Naf2025Night, form_named
from services.simulator.register.rows import LazyRow, RecordRow

# A SIREN that redirects, and one that may not be shown, follow one unit in this many.
_ONE_IN = 997
_DOUBLON, _SECRET = 5, 11


class Register(ABC):
    """Units and establishments by position; positions follow the order of the identifiers.

    `doublons` are the SIRENs that redirect, with their targets; `non_diffusibles` those that may
    not be shown.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.changes = SetValues()
        self.night: Naf2025Night | None = None
        self.doublons: Mapping[str, str] = {}
        self.non_diffusibles: Sequence[str] = []

    @property
    def version(self) -> int:
        return self.changes.version + (self.night is not None)

    def play_naf_2025(self, form: str) -> Naf2025Night:
        """Play the night after the register's day. Raises BadChangeError where it has passed."""
        if self.night is not None:
            raise BadChangeError("the night of NAF 2025 has passed already")
        self.night = Naf2025Night(form_named(form), self.calendar.day)
        return self.night

    @abstractmethod
    def size(self, collection: Collection) -> int: ...
    @abstractmethod
    def identifier(self, collection: Collection, position: int) -> str: ...
    @abstractmethod
    def whole(self, collection: Collection, position: int) -> Record:
        """Return the record with nothing masked, where it can be known."""

    def record(self, collection: Collection, position: int) -> Record:
        """Return the record as it is served: masked where diffusion is partial."""
        return self.whole(collection, position)

    def row(self, collection: Collection, position: int, date: str | None) -> QueriedRow:
        return RecordRow(self.whole(collection, position), date)

    def position_from(self, collection: Collection, identifier: str) -> int:
        """Return the lowest position whose identifier is not below this one, or this prefix."""
        key = partial(self.identifier, collection)
        return bisect_left(range(self.size(collection)), identifier, key=key)

    def position_of(self, collection: Collection, identifier: str) -> int | None:
        """Return the position of exactly this identifier; None where it is unknown."""
        position = self.position_from(collection, identifier)
        if position == self.size(collection):
            return None
        return position if self.identifier(collection, position) == identifier else None

    def unmasked(self, siret: str) -> Record | None:
        position = self.position_of("siret", siret)
        return None if position is None else self.whole("siret", position)


class GeneratedRegister(Register):
    """A register that is a function of the seed; it stores nothing but its changes."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._etablissements = Etablissements(
            options.seed, options.establishments, options.departements, options.day
        )
        super().__init__(self._etablissements.calendar)
        self._unites = unites = self._etablissements.unites
        records = RecordBuilder(self._etablissements)
        self._periodes = records.periodes
        self._builders: Mapping[Collection, Callable[[int], Draft]] = {
            "siret": records.etablissement,
            "siren": records.unite,
        }
        # A delta reads it of every unit, and it is made with the whole unit, which takes long.
        built_treated = cache(
            lambda number: records.unite(number)["dateDernierTraitementUniteLegale"]
        )

        def treated(number: int) -> object:
            own = built_treated(number)
            return own if self.night is None else self.night.treated(unites.siren(number), own)

        self._rows: Mapping[Collection, Callable[[int, str | None], QueriedRow]] = {
            "siret": partial(
                LazyRow,
                self._cheap_of_siret(treated),
                self._periodes_of_siret,
                partial(self._built, "siret"),
            ),
            "siren": partial(
                LazyRow,
                {"siren": unites.siren, "dateDernierTraitementUniteLegale": treated},
                lambda number: self._built("siren", number)["periodesUniteLegale"],
                partial(self._built, "siren"),
            ),
        }
        self.doublons = {
            siren: unites.siren(number)
            for number in range(_DOUBLON, len(unites), _ONE_IN)
            if (siren := unites.spare_siren(number))
        }
        spare = map(unites.spare_siren, range(_SECRET, len(unites), _ONE_IN))
        self.non_diffusibles = [siren for siren in spare if siren]
        if options.naf_2025 is not None:
            self.play_naf_2025(options.naf_2025)

    def size(self, collection: Collection) -> int:
        return len(self._etablissements) if collection == "siret" else len(self._unites)

    def identifier(self, collection: Collection, position: int) -> str:
        if collection == "siret":
            return self._etablissements.siret(position)
        return self._unites.siren(position)

    def row(self, collection: Collection, position: int, date: str | None) -> QueriedRow:
        if self.changes and self.changes.touches(self.identifier(collection, position)):
            return super().row(collection, position, date)
        return self._rows[collection](position, date)

    def whole(self, collection: Collection, position: int) -> Record:
        return self._recoded(self.changes.applied(self._builders[collection](position)))

    def record(self, collection: Collection, position: int) -> Record:
        whole = self.whole(collection, position)
        return masked_etablissement(whole) if collection == "siret" else masked_unite(whole)

    def _built(self, collection: Collection, position: int) -> Draft:
        return self._recoded(self._builders[collection](position))

    def _recoded(self, built: Draft) -> Draft:
        return built if self.night is None else self.night.applied(built)

    def _periodes_of_siret(self, index: int) -> Sequence[Record]:
        if self.night is not None:
            return periods_of(self._built("siret", index))
        return self._periodes(self._etablissements.etablissement(index))

    def _cheap_of_siret(
        self, unite_treated: Callable[[int], object]
    ) -> Mapping[str, Callable[[int], object]]:
        register, unites = self._etablissements, self._unites
        owner_of, number_at = unites.owner_of, unites.number_at

        def code_commune(index: int) -> str | None:
            commune = register.commune(index)
            return None if commune is None else commune.code

        def treated(index: int) -> object:
            own = register.treated(index)
            return own if self.night is None else self.night.treated(register.siret(index), own)

        def activite_of_unit(index: int) -> str:
            metier = owner_of(index).metier
            recoded = self.night is not None and not unites.cessee(number_at(index))
            return metier.naf_2025 if recoded else metier.naf

        return {
            "siret": register.siret,
            "siren": lambda index: owner_of(index).siren,
            "codeCommuneEtablissement": code_commune,
            "dateDernierTraitementEtablissement": treated,
            "dateDernierTraitementUniteLegale": lambda i: unite_treated(number_at(i)),
            "statutDiffusionEtablissement": lambda i: "P" if register.partielle(i) else "O",
            "statutDiffusionUniteLegale": lambda i: "P" if owner_of(i).partielle else "O",
            "categorieJuridiqueUniteLegale": lambda i: owner_of(i).forme,
            "etatAdministratifUniteLegale": lambda i: "C" if unites.cessee(number_at(i)) else "A",
            "activitePrincipaleUniteLegale": activite_of_unit,
            "etablissementSiege": lambda i: i == register.siege_index(number_at(i)),
        }
