"""The names of INSEE's keys, made from the names of the register's columns. Pure."""

import dataclasses
import re
from collections.abc import Iterable
from typing import Final

from shared.sirene.records import Etablissement, PeriodeEtablissement, UniteLegale
from shared.sirene.values import JsonObject, clean


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join("NAF25" if part == "naf25" else part.capitalize() for part in rest)


def _keys(suffix: str, names: Iterable[str]) -> dict[str, str]:
    """Return INSEE's key for each column: the same words, and the name of the class at the end."""
    return {name: camel(name) + suffix for name in names}


def _matching(record: type, pattern: str) -> list[str]:
    return [f.name for f in dataclasses.fields(record) if re.fullmatch(pattern, f.name)]


_ADRESSE_WORDS = (
    r"complement_adresse|numero_voie|indice_repetition|dernier_numero_voie"
    r"|indice_repetition_dernier_numero_voie|type_voie|libelle_voie|code_postal|libelle_commune"
    r"|libelle_commune_etranger|distribution_speciale|code_commune|code_cedex|libelle_cedex"
    r"|code_pays_etranger|libelle_pays_etranger|identifiant_adresse"
)
_E, _U = "Etablissement", "UniteLegale"
ADRESSE = _keys(_E, _matching(Etablissement, _ADRESSE_WORDS))
ADRESSE2 = _keys(_E, _matching(Etablissement, rf"(?:{_ADRESSE_WORDS})2"))
_ETABLISSEMENT_WORDS = r"(?:tranche|annee)_effectifs|activite_principale_(?:registre_metiers|naf25)"
ETABLISSEMENT = _keys(_E, _matching(Etablissement, _ETABLISSEMENT_WORDS))
PERIODE_ETABLISSEMENT = _keys(
    _E, _matching(PeriodeEtablissement, r"(?!siren|siret|rang|date_|changement_)\w+")
)
CHANGEMENTS = _keys(_E, _matching(PeriodeEtablissement, r"changement_\w+"))
UNITE = _keys(
    _U,
    _matching(
        UniteLegale, r"(?!siren|statut_diffusion|unite_purgee|date_)\w+(?<!categorie_entreprise)"
    ),
) | {
    "categorie_entreprise": "categorieEntreprise",
    "annee_categorie_entreprise": "anneeCategorieEntreprise",
}
# Keys that have a column of another name or type, or none.
_OTHER_ETABLISSEMENT = """
    siren nic siret score statutDiffusionEtablissement dateCreationEtablissement
    dateDernierTraitementEtablissement etablissementSiege nombrePeriodesEtablissement
    uniteLegale adresseEtablissement adresse2Etablissement periodesEtablissement
"""
_OTHER_ADRESSE = "coordonneeLambertAbscisseEtablissement coordonneeLambertOrdonneeEtablissement"
_OTHER_UNITE = """
    siren score statutDiffusionUniteLegale unitePurgeeUniteLegale dateCreationUniteLegale
    dateDernierTraitementUniteLegale nombrePeriodesUniteLegale periodesUniteLegale
    dateDebut dateFin
"""
KNOWN_KEYS: dict[str, frozenset[str]] = {
    "etablissement": frozenset([*ETABLISSEMENT.values(), *_OTHER_ETABLISSEMENT.split()]),
    "adresse": frozenset([*ADRESSE.values(), *_OTHER_ADRESSE.split()]),
    "adresse2": frozenset(ADRESSE2.values()),
    "periode": frozenset(
        [*PERIODE_ETABLISSEMENT.values(), *CHANGEMENTS.values(), "dateDebut", "dateFin"]
    ),
    "unite": frozenset([*UNITE.values(), *_OTHER_UNITE.split()]),
}

_CHANGES = r"changement\w+"
MAX_UNKNOWN_KEYS: Final = 50


def unknown_keys(**blocks: JsonObject) -> frozenset[str]:
    """Return the keys that no column holds, as `block.key`, at most `MAX_UNKNOWN_KEYS`."""
    unknown = [
        f"{name}.{clean(key)[:80]}"
        for name, block in blocks.items()
        if not KNOWN_KEYS[name].issuperset(block)
        for key in block.keys() - KNOWN_KEYS[name]
        if not re.fullmatch(_CHANGES, key)
    ]
    return frozenset(sorted(unknown)[:MAX_UNKNOWN_KEYS]) if unknown else _NONE


_NONE: frozenset[str] = frozenset()
