"""From a record of INSEE's API to the register's rows: the only place that knows its names.

Keys are read by presence: older and reduced payloads lack some, and new ones appear without
notice; those are named in the result, and never fail a record.
"""

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from shared.sirene.identifiers import is_siren, is_siret, siren_of
from shared.sirene.records import Etablissement, UniteLegale
from shared.sirene.reference import departement_of, region_of
from shared.sirene.values import (
    JsonObject,
    MappingError,
    boolean,
    clean,
    date,
    instant,
    json_object,
    number,
    small_integer,
    statut_diffusion,
    text_of,
    texts,
)

MAX_UNKNOWN_KEYS: Final = 50


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """`unknown_keys` are `block.key`, at most `MAX_UNKNOWN_KEYS` of them."""

    unite: UniteLegale
    etablissement: Etablissement
    unknown_keys: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class MappedUnite:
    unite: UniteLegale
    unknown_keys: frozenset[str] = field(default_factory=frozenset)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _keys(suffix: str, names: Iterable[str]) -> dict[str, str]:
    """Column name → INSEE's key: the same words, and the name of the class at the end."""
    return {name: _camel(name) + suffix for name in names}


def _matching(record: type, pattern: str) -> list[str]:
    return [f.name for f in dataclasses.fields(record) if re.fullmatch(pattern, f.name)]


_ADRESSE_WORDS = (
    r"complement_adresse|numero_voie|indice_repetition|dernier_numero_voie"
    r"|indice_repetition_dernier_numero_voie|type_voie|libelle_voie|code_postal|libelle_commune"
    r"|libelle_commune_etranger|distribution_speciale|code_commune|code_cedex|libelle_cedex"
    r"|code_pays_etranger|libelle_pays_etranger|identifiant_adresse"
)
_E, _U = "Etablissement", "UniteLegale"
_ADRESSE = _keys(_E, _matching(Etablissement, _ADRESSE_WORDS))
_ADRESSE2 = _keys(_E, _matching(Etablissement, rf"(?:{_ADRESSE_WORDS})2"))
_ETABLISSEMENT = _keys(
    _E, ("tranche_effectifs", "annee_effectifs", "activite_principale_registre_metiers")
) | {"activite_principale_naf25": "activitePrincipaleNAF25Etablissement"}
_PERIODE_ETABLISSEMENT = _keys(
    _E,
    (
        "etat_administratif",
        "enseigne1",
        "enseigne2",
        "enseigne3",
        "denomination_usuelle",
        "activite_principale",
        "nomenclature_activite_principale",
        "caractere_employeur",
    ),
)
_UNITE_SPECIAL = {
    "activite_principale_naf25": "activitePrincipaleNAF25UniteLegale",
    "categorie_entreprise": "categorieEntreprise",
    "annee_categorie_entreprise": "anneeCategorieEntreprise",
}
_UNITE = (
    _keys(
        _U,
        _matching(
            UniteLegale,
            r"(?!siren|statut_diffusion|unite_purgee|date_)\w+(?<!_naf25)(?<!categorie_entreprise)",
        ),
    )
    | _UNITE_SPECIAL
)

_CHANGES = r"changement\w+"
_KNOWN_KEYS: dict[str, frozenset[str]] = {
    "etablissement": frozenset(_ETABLISSEMENT.values())
    | {
        "siren",
        "nic",
        "siret",
        "score",
        "statutDiffusionEtablissement",
        "dateCreationEtablissement",
        "dateDernierTraitementEtablissement",
        "etablissementSiege",
        "nombrePeriodesEtablissement",
        "uniteLegale",
        "adresseEtablissement",
        "adresse2Etablissement",
        "periodesEtablissement",
    },
    "adresse": frozenset(_ADRESSE.values())
    | {"coordonneeLambertAbscisseEtablissement", "coordonneeLambertOrdonneeEtablissement"},
    "adresse2": frozenset(_ADRESSE2.values()),
    "periode": frozenset(_PERIODE_ETABLISSEMENT.values()) | {"dateDebut", "dateFin"},
    "unite": frozenset(_UNITE.values())
    | {
        "siren",
        "score",
        "statutDiffusionUniteLegale",
        "unitePurgeeUniteLegale",
        "dateCreationUniteLegale",
        "dateDernierTraitementUniteLegale",
        "nombrePeriodesUniteLegale",
        "periodesUniteLegale",
        "dateDebut",
        "dateFin",
    },
}


def map_record(record: object) -> MappedRecord:
    """Map one establishment with its unit's block, as `/siret` gives it.

    Raises MappingError with a bounded `code`.
    """
    block = json_object(record, "record")
    siret = _siret(block)
    unite = block.get("uniteLegale")
    if unite is None:
        raise MappingError("missing_unite_legale", "the record has no unit's block")
    unite = json_object(unite, "unite")
    adresse = json_object(block.get("adresseEtablissement") or {}, "adresse")
    adresse2 = json_object(block.get("adresse2Etablissement") or {}, "adresse2")
    periode = _current_period(block.get("periodesEtablissement"))
    return MappedRecord(
        unite=_unite(siren_of(siret), unite),
        etablissement=_etablissement(siret, block, adresse, adresse2, periode),
        unknown_keys=_unknown_keys(
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
    merged = {**_current_period(block.get("periodesUniteLegale")), **block}
    return MappedUnite(_unite(siren, merged), _unknown_keys(unite=merged))


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
) -> Etablissement:
    values = (
        texts(block, _ETABLISSEMENT)
        | texts(periode, _PERIODE_ETABLISSEMENT)
        | texts(adresse, _ADRESSE)
        | texts(adresse2, _ADRESSE2)
    )
    departement = departement_of(values["code_commune"])
    return Etablissement(
        siret=siret,
        siren=siren_of(siret),
        nic=siret[9:],
        statut_diffusion=statut_diffusion(block, "statutDiffusionEtablissement"),
        date_creation=date(block, "dateCreationEtablissement"),
        date_dernier_traitement=instant(block, "dateDernierTraitementEtablissement"),
        siege=boolean(block, "etablissementSiege"),
        nombre_periodes=small_integer(block, "nombrePeriodesEtablissement"),
        date_debut=date(periode, "dateDebut"),
        coordonnee_lambert_abscisse=number(adresse, "coordonneeLambertAbscisseEtablissement"),
        coordonnee_lambert_ordonnee=number(adresse, "coordonneeLambertOrdonneeEtablissement"),
        departement=departement,
        region=region_of(departement),
        **values,  # all of them texts, as the tables above say
    )


def _unite(siren: str, block: JsonObject) -> UniteLegale:
    return UniteLegale(
        siren=siren,
        statut_diffusion=statut_diffusion(block, "statutDiffusionUniteLegale"),
        # The key is there only when it is true.
        unite_purgee=boolean(block, "unitePurgeeUniteLegale") is True,
        date_creation=date(block, "dateCreationUniteLegale"),
        date_dernier_traitement=instant(block, "dateDernierTraitementUniteLegale"),
        **texts(block, _UNITE),
    )


def _current_period(periods: object) -> JsonObject:
    """The one without an end; none where the list is missing or holds only past ones."""
    if periods is None:
        return {}
    if not isinstance(periods, list):
        raise MappingError("bad_type", "the periods are not a list")
    for period in periods:
        block = json_object(period, "periode")
        if block.get("dateFin") is None:
            return block
    return {}


def _unknown_keys(**blocks: JsonObject) -> frozenset[str]:
    unknown = [
        f"{name}.{clean(key)[:80]}"
        for name, block in blocks.items()
        for key in block.keys() - _KNOWN_KEYS[name]
        if not re.fullmatch(_CHANGES, key)
    ]
    return frozenset(sorted(unknown)[:MAX_UNKNOWN_KEYS])
