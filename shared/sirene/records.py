"""The register's records, each field named as its column in `shared.db.tables`.

A masked or unknown value is None. `statut_diffusion` alone tells what people may not see.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from shared.sirene.read_only import read_only

OPEN_TO_ALL = "O"
PARTIAL = "P"
SOLE_TRADER = "1000"
"""Legal form of a natural person: the unit's name is a person's."""

PageStatus = Literal["open", "closed"]


class _FromRow:
    __slots__ = ()

    @classmethod
    def from_row(cls, row: Mapping[str, Any], *, prefix: str = "") -> Self:
        """Build the record from the columns that the row has; the others keep their default."""
        return cls(
            **{
                field.name: row[prefix + field.name]
                for field in fields(cls)  # type: ignore[arg-type]  # each subclass is a dataclass
                if prefix + field.name in row
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UniteLegale(_FromRow):
    siren: str
    statut_diffusion: str
    unite_purgee: bool = False
    etat_administratif: str | None = None
    date_creation: dt.date | None = None
    date_dernier_traitement: dt.datetime | None = None
    categorie_juridique: str | None = None
    denomination: str | None = None
    sigle: str | None = None
    denomination_usuelle1: str | None = None
    denomination_usuelle2: str | None = None
    denomination_usuelle3: str | None = None
    sexe: str | None = None
    nom: str | None = None
    nom_usage: str | None = None
    prenom1: str | None = None
    prenom2: str | None = None
    prenom3: str | None = None
    prenom4: str | None = None
    prenom_usuel: str | None = None
    pseudonyme: str | None = None
    activite_principale: str | None = None
    nomenclature_activite_principale: str | None = None
    activite_principale_naf25: str | None = None
    identifiant_association: str | None = None
    economie_sociale_solidaire: str | None = None
    societe_mission: str | None = None
    caractere_employeur: str | None = None
    tranche_effectifs: str | None = None
    annee_effectifs: str | None = None
    nic_siege: str | None = None
    categorie_entreprise: str | None = None
    annee_categorie_entreprise: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Etablissement(_FromRow):
    siret: str
    siren: str
    nic: str
    statut_diffusion: str
    etat_administratif: str | None = None
    date_creation: dt.date | None = None
    date_dernier_traitement: dt.datetime | None = None
    siege: bool | None = None
    nombre_periodes: int | None = None
    date_debut: dt.date | None = None
    tranche_effectifs: str | None = None
    annee_effectifs: str | None = None
    activite_principale_registre_metiers: str | None = None
    activite_principale: str | None = None
    nomenclature_activite_principale: str | None = None
    activite_principale_naf25: str | None = None
    caractere_employeur: str | None = None
    enseigne1: str | None = None
    enseigne2: str | None = None
    enseigne3: str | None = None
    denomination_usuelle: str | None = None
    complement_adresse: str | None = None
    numero_voie: str | None = None
    indice_repetition: str | None = None
    dernier_numero_voie: str | None = None
    indice_repetition_dernier_numero_voie: str | None = None
    type_voie: str | None = None
    libelle_voie: str | None = None
    code_postal: str | None = None
    libelle_commune: str | None = None
    libelle_commune_etranger: str | None = None
    distribution_speciale: str | None = None
    code_commune: str | None = None
    code_cedex: str | None = None
    libelle_cedex: str | None = None
    code_pays_etranger: str | None = None
    libelle_pays_etranger: str | None = None
    identifiant_adresse: str | None = None
    coordonnee_lambert_abscisse: float | None = None
    coordonnee_lambert_ordonnee: float | None = None
    complement_adresse2: str | None = None
    numero_voie2: str | None = None
    indice_repetition2: str | None = None
    type_voie2: str | None = None
    libelle_voie2: str | None = None
    code_postal2: str | None = None
    libelle_commune2: str | None = None
    libelle_commune_etranger2: str | None = None
    distribution_speciale2: str | None = None
    code_commune2: str | None = None
    code_cedex2: str | None = None
    libelle_cedex2: str | None = None
    code_pays_etranger2: str | None = None
    libelle_pays_etranger2: str | None = None
    departement: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodeEtablissement(_FromRow):
    """One period of an establishment's history, as INSEE sends it.

    `rang` counts from the oldest, which is 0, so that a new period comes last. Only here 1900-01-01
    is kept. The oldest period may have neither state nor activity.
    """

    siret: str
    siren: str
    rang: int
    date_debut: dt.date | None = None
    date_fin: dt.date | None = None
    etat_administratif: str | None = None
    changement_etat_administratif: bool | None = None
    enseigne1: str | None = None
    enseigne2: str | None = None
    enseigne3: str | None = None
    changement_enseigne: bool | None = None
    denomination_usuelle: str | None = None
    changement_denomination_usuelle: bool | None = None
    activite_principale: str | None = None
    nomenclature_activite_principale: str | None = None
    changement_activite_principale: bool | None = None
    caractere_employeur: str | None = None
    changement_caractere_employeur: bool | None = None


@read_only
class Page(_FromRow):
    """The page of one establishment for one activity in one commune."""

    siret: str
    siren: str
    activite_principale: str
    code_commune: str
    slug: str
    nom: str | None
    nom_source: str | None
    libelle_activite: str | None
    libelle_commune: str | None
    status: PageStatus


# The fields that INSEE masks for a natural person with partial diffusion.
PERSONAL_UNITE_FIELDS = (
    "denomination",
    "sigle",
    "denomination_usuelle1",
    "denomination_usuelle2",
    "denomination_usuelle3",
    "sexe",
    "nom",
    "nom_usage",
    "prenom1",
    "prenom2",
    "prenom3",
    "prenom4",
    "prenom_usuel",
    "pseudonyme",
)
NAMES_OF_A_PERSON = ("nom", "nom_usage", "prenom1", "prenom_usuel", "denomination")
"""A record of a person that has none of them names nobody."""
SIGN_FIELDS = ("enseigne1", "enseigne2", "enseigne3", "denomination_usuelle")
# Both addresses of an establishment have these.
_STREET_FIELDS = (
    "complement_adresse",
    "numero_voie",
    "indice_repetition",
    "type_voie",
    "libelle_voie",
    "code_postal",
    "distribution_speciale",
    "code_cedex",
    "libelle_cedex",
)
# The street and the geolocation, which it masks for legal persons, too.
STREET_FIELDS = (
    *_STREET_FIELDS,
    *(f"{name}2" for name in _STREET_FIELDS),
    "dernier_numero_voie",
    "indice_repetition_dernier_numero_voie",
    "identifiant_adresse",
    "coordonnee_lambert_abscisse",
    "coordonnee_lambert_ordonnee",
)
PERSONAL_ETABLISSEMENT_FIELDS = SIGN_FIELDS + STREET_FIELDS

_STOCK_OPTIONAL_FIELDS = """
    activite_principale_naf25 activite_principale_registre_metiers societe_mission
    caractere_employeur denomination_usuelle1 denomination_usuelle2 denomination_usuelle3
    dernier_numero_voie indice_repetition_dernier_numero_voie identifiant_adresse
    coordonnee_lambert_abscisse coordonnee_lambert_ordonnee code_cedex libelle_cedex
    complement_adresse2 numero_voie2 indice_repetition2 type_voie2 libelle_voie2 code_postal2
    libelle_commune2 libelle_commune_etranger2 distribution_speciale2 code_commune2
    code_cedex2 libelle_cedex2 code_pays_etranger2 libelle_pays_etranger2
"""
STOCK_OPTIONAL_FIELDS = frozenset(_STOCK_OPTIONAL_FIELDS.split())
"""The columns that INSEE added to its stock files late, calls obsolete or has announced the end of.

A file without them can still be loaded. The second address goes as a whole.
"""
