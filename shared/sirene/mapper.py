"""From a record of INSEE's API to the register's rows: the only place that knows its names.

Keys are read by presence: older and reduced payloads lack some, and new ones appear without
notice; those are named in the result, and never fail a record.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, TypeVar

from shared.sirene.identifiers import is_siren, is_siret, siren_of
from shared.sirene.keys import (
    ADRESSE,
    ADRESSE2,
    CHANGEMENTS,
    ETABLISSEMENT,
    PERIODE_ETABLISSEMENT,
    UNITE,
    unknown_keys,
)
from shared.sirene.records import Etablissement, PeriodeEtablissement, UniteLegale
from shared.sirene.reference import departement_of, region_of
from shared.sirene.values import (
    JsonObject,
    MappingError,
    boolean,
    booleans,
    date,
    instant,
    json_object,
    number,
    sent_date,
    small_integer,
    statut_diffusion,
    text_of,
    texts,
)

MAPPING_VERSION: Final = b"mapping-1"
"""Raise it when a record maps to other values: every stored hash then differs, and every row is
written again when INSEE next sends it."""


Values = tuple[object, ...]
"""What a record's fields hold, in their order."""


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """One establishment, its unit and its history, oldest period first.

    Values rather than records: most of what INSEE sends is stored already, and is only compared.
    `unknown_keys` are `block.key`, at most `keys.MAX_UNKNOWN_KEYS` of them.
    """

    unite_values: Values
    etablissement_values: Values
    periodes_values: tuple[Values, ...]
    unknown_keys: frozenset[str] = frozenset()

    @property
    def siret(self) -> str:
        return str(self.etablissement_values[0])

    @property
    def unite(self) -> UniteLegale:
        return _record(UniteLegale, self.unite_values)

    @property
    def etablissement(self) -> Etablissement:
        return _record(Etablissement, self.etablissement_values)

    @property
    def periodes(self) -> tuple[PeriodeEtablissement, ...]:
        return tuple(_record(PeriodeEtablissement, values) for values in self.periodes_values)


@dataclass(frozen=True, slots=True)
class MappedUnite:
    unite: UniteLegale
    unknown_keys: frozenset[str] = field(default_factory=frozenset)


RecordT = TypeVar("RecordT", UniteLegale, Etablissement, PeriodeEtablissement)


def _record(kind: type[RecordT], values: Values) -> RecordT:
    return kind(**dict(zip(_names(kind), values, strict=True)))  # type: ignore[arg-type]  # as mapped


def _names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind))


def _in_field_order(kind: type, *mapped: Iterable[str]) -> Callable[[Sequence[object]], Values]:
    """Put values that come in the order of the mapped names into that of the record's fields."""
    places = {name: place for place, name in enumerate(itertools.chain(*mapped))}
    return itemgetter(*(places[name] for name in _names(kind)))


# Names of what is more than a text, in the order in which the functions below read it.
_ETABLISSEMENT_SPECIAL = (
    "siret",
    "siren",
    "nic",
    "statut_diffusion",
    "date_creation",
    "date_dernier_traitement",
    "siege",
    "nombre_periodes",
    "date_debut",
    "coordonnee_lambert_abscisse",
    "coordonnee_lambert_ordonnee",
    "departement",
    "region",
)
_UNITE_FIRST = (
    "siren",
    "statut_diffusion",
    "unite_purgee",
    "date_creation",
    "date_dernier_traitement",
)
_PERIODE_SPECIAL = ("siret", "siren", "rang", "date_debut", "date_fin")

_as_etablissement = _in_field_order(
    Etablissement,
    _ETABLISSEMENT_SPECIAL,
    ETABLISSEMENT,
    PERIODE_ETABLISSEMENT,
    ADRESSE,
    ADRESSE2,
)
_as_unite = _in_field_order(UniteLegale, _UNITE_FIRST, UNITE)
_as_periode = _in_field_order(
    PeriodeEtablissement, _PERIODE_SPECIAL, PERIODE_ETABLISSEMENT, CHANGEMENTS
)
_ETABLISSEMENT_KEYS = tuple(ETABLISSEMENT.values())
_PERIODE_KEYS = tuple(PERIODE_ETABLISSEMENT.values())
_CHANGEMENT_KEYS = tuple(CHANGEMENTS.values())
_ADRESSE_KEYS = tuple(ADRESSE.values())
_ADRESSE2_KEYS = tuple(ADRESSE2.values())
_UNITE_KEYS = tuple(UNITE.values())
_CODE_COMMUNE = list(ADRESSE).index("code_commune")


@dataclass(frozen=True, slots=True)
class SplitRecord:
    """A record's own siret, what it says of the establishment and what of the unit."""

    siret: str
    etablissement: JsonObject
    unite: JsonObject


def split_record(record: object) -> SplitRecord:
    """Tell apart what is compared and stored apart, whatever the values are.

    Raises MappingError with a bounded `code`.
    """
    block = json_object(record, "record")
    siret = _siret(block)
    unite = block.get("uniteLegale")
    if unite is None:
        raise MappingError("missing_unite_legale", "the record has no unit's block")
    own = {**block}
    del own["uniteLegale"]
    own.pop("score", None)  # how well the record answers the query
    return SplitRecord(siret, own, json_object(unite, "unite"))


def map_record(record: object) -> MappedRecord:
    """Map one establishment with its unit's block, as `/siret` gives it.

    Raises MappingError with a bounded `code`.
    """
    return map_split(split_record(record))


def map_split(split: SplitRecord) -> MappedRecord:
    """As `map_record`."""
    siret, block, unite = split.siret, split.etablissement, split.unite
    adresse = json_object(block.get("adresseEtablissement") or {}, "adresse")
    adresse2 = json_object(block.get("adresse2Etablissement") or {}, "adresse2")
    periodes = _periods(block.get("periodesEtablissement"))
    periode = _current(periodes)
    return MappedRecord(
        _unite(siren_of(siret), unite),
        _etablissement(siret, block, adresse, adresse2, periode),
        tuple(_periode(siret, rang, each) for rang, each in enumerate(reversed(periodes))),
        unknown_keys(
            etablissement=block, unite=unite, adresse=adresse, adresse2=adresse2, periode=periode
        ),
    )


def map_unite_legale(record: object) -> MappedUnite:
    """Map one unit as `/siren` gives it: what changes with time is in its periods."""
    block = json_object(record, "unite")
    siren = text_of(block, "siren")
    if siren is None:
        raise MappingError("missing_siren", "the unit has no siren")
    if not is_siren(siren):
        raise MappingError("bad_siren", "the siren is not nine digits")
    merged = {**_current(_periods(block.get("periodesUniteLegale"))), **block}
    return MappedUnite(_record(UniteLegale, _unite(siren, merged)), unknown_keys(unite=merged))


def _siret(block: JsonObject) -> str:
    siret, siren, nic = (text_of(block, key) for key in ("siret", "siren", "nic"))
    if siret is None:
        raise MappingError("missing_siret", "the record has no siret")
    if not is_siret(siret):
        raise MappingError("bad_siret", "the siret is not fourteen digits")
    if siren not in {None, siren_of(siret)} or nic not in {None, siret[9:]}:
        raise MappingError("bad_siret", "siren and nic do not make the siret")
    return siret


def _etablissement(
    siret: str, block: JsonObject, adresse: JsonObject, adresse2: JsonObject, periode: JsonObject
) -> Values:
    textes_adresse = texts(adresse, _ADRESSE_KEYS)
    departement = departement_of(textes_adresse[_CODE_COMMUNE])
    return _as_etablissement(
        [
            siret,
            siren_of(siret),
            siret[9:],
            statut_diffusion(block, "statutDiffusionEtablissement"),
            date(block, "dateCreationEtablissement"),
            instant(block, "dateDernierTraitementEtablissement"),
            boolean(block, "etablissementSiege"),
            small_integer(block, "nombrePeriodesEtablissement"),
            date(periode, "dateDebut"),
            number(adresse, "coordonneeLambertAbscisseEtablissement"),
            number(adresse, "coordonneeLambertOrdonneeEtablissement"),
            departement,
            region_of(departement),
            *texts(block, _ETABLISSEMENT_KEYS),
            *texts(periode, _PERIODE_KEYS),
            *textes_adresse,
            *texts(adresse2, _ADRESSE2_KEYS),
        ]
    )


def _unite(siren: str, block: JsonObject) -> Values:
    return _as_unite(
        [
            siren,
            statut_diffusion(block, "statutDiffusionUniteLegale"),
            # The key is there only when it is true.
            boolean(block, "unitePurgeeUniteLegale") is True,
            date(block, "dateCreationUniteLegale"),
            instant(block, "dateDernierTraitementUniteLegale"),
            *texts(block, _UNITE_KEYS),
        ]
    )


def _periode(siret: str, rang: int, block: JsonObject) -> Values:
    return _as_periode(
        [
            siret,
            siren_of(siret),
            rang,
            sent_date(block, "dateDebut"),
            sent_date(block, "dateFin"),
            *texts(block, _PERIODE_KEYS),
            *booleans(block, _CHANGEMENT_KEYS),
        ]
    )


def _periods(periods: object) -> Sequence[JsonObject]:
    """INSEE's order: newest first."""
    if periods is None:
        return ()
    if not isinstance(periods, list):
        raise MappingError("bad_type", "the periods are not a list")
    return [json_object(period, "periode") for period in periods]


def _current(periods: Sequence[JsonObject]) -> JsonObject:
    """The one without an end; none where the list is missing or holds only past ones."""
    return next((block for block in periods if block.get("dateFin") is None), {})
