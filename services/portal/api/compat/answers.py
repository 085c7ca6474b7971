"""Units as API Recherche d'entreprises shows them; fields without data here are null."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.portal.api.statements import SUBJECT_COLUMNS
from shared.sirene.dates import told_creation
from shared.sirene.records import OPEN_TO_ALL, SOLE_TRADER

_LISTS = ("finess", "id_bio", "idcc", "id_organisme_formation", "rge", "uai")
_NOTHING_OF_SIEGE = (
    *("activite_principale_naf25", "activite_principale_registre_metier", "cedex"),
    *("code_pays_etranger", "complement_adresse", "coordonnees", "date_mise_a_jour"),
    *("distribution_speciale", "epci", "geo_adresse", "geo_id", "latitude", "libelle_cedex"),
    *("libelle_commune_etranger", "libelle_pays_etranger", "longitude", "caractere_employeur"),
)
_OF_SIEGE_ALONE = frozenset(
    [
        "activite_principale_registre_metier",
        "cedex",
        "code_pays_etranger",
        "complement_adresse",
        "coordonnees",
        "date_mise_a_jour",
        "date_mise_a_jour_insee",
        "departement",
        "distribution_speciale",
        "geo_adresse",
        "indice_repetition",
        "libelle_cedex",
        "libelle_commune_etranger",
        "libelle_pays_etranger",
        "libelle_voie",
        "numero_voie",
        "type_voie",
    ]
)
_COMPLEMENTS = [
    "collectivite_territoriale",
    "convention_collective_renseignee",
    "liste_idcc",
    "liste_finess_juridique",
    "egapro_renseignee",
    "est_achats_responsables",
    "est_alim_confiance",
    "est_bio",
    "est_entrepreneur_spectacle",
    "est_finess",
    "est_organisme_formation",
    "est_qualiopi",
    "liste_id_organisme_formation",
    "est_rge",
    "est_service_public",
    "est_siae",
    "est_uai",
    "est_patrimoine_vivant",
    "bilan_ges_renseigne",
    "statut_entrepreneur_spectacle",
    "type_siae",
]
_ASSOCIATIONS = frozenset(
    ["5195", "9210", "9220", "9221", "9222", "9223", "9224", "9230", "9240", "9260"]
)
_PERSONS = frozenset({SOLE_TRADER, None})

Subject = Mapping[str, Any]
"""The values of a row of `SUBJECT_COLUMNS` by name."""


def subject_of(values: Sequence[Any]) -> Subject:
    return dict(zip(SUBJECT_COLUMNS, values, strict=True))


def is_shown(row: Subject) -> bool:
    """Return whether INSEE publishes both establishment and unit without a mask."""
    return bool(row["e_statut_diffusion"] == row["u_statut_diffusion"] == OPEN_TO_ALL)


def siege_of(row: Subject) -> dict[str, Any]:
    return _etablissement(row)


def matching_of(row: Subject) -> dict[str, Any]:
    found = {k: v for k, v in _etablissement(row).items() if k not in _OF_SIEGE_ALONE}
    return {**found, "ancien_siege": None}


def unite_of(row: Subject, counts: tuple[int, int]) -> dict[str, Any]:
    """Return the unit of an establishment that is shown, without the secondary fields."""
    name = row["u_denomination"] or _person(row)
    sigle = row["u_sigle"]
    whole = f"{name} ({sigle})" if name and sigle and sigle != name else name
    return {
        "siren": row["u_siren"],
        "nom_complet": whole,
        "nom_raison_sociale": row["u_denomination"],
        "sigle": sigle,
        "nombre_etablissements": counts[0],
        "nombre_etablissements_ouverts": counts[1],
        "activite_principale": row["u_activite_principale"],
        "activite_principale_naf25": None,
        "categorie_entreprise": row["u_categorie_entreprise"],
        "caractere_employeur": row["u_caractere_employeur"],
        "annee_categorie_entreprise": row["u_annee_categorie_entreprise"],
        "date_creation": row["u_date_creation"],
        "date_fermeture": None,
        "date_mise_a_jour": row["u_date_dernier_traitement"],
        "date_mise_a_jour_insee": row["u_date_dernier_traitement"],
        "date_mise_a_jour_rne": None,
        "etat_administratif": row["u_etat_administratif"],
        "nature_juridique": row["u_categorie_juridique"],
        "section_activite_principale": None,
        "tranche_effectif_salarie": row["u_tranche_effectifs"],
        "annee_tranche_effectif_salarie": row["u_annee_effectifs"],
        "statut_diffusion": row["u_statut_diffusion"],
    }


def complements_of(row: Subject) -> dict[str, Any]:
    forme, identifiant = row["u_categorie_juridique"], row["u_identifiant_association"]
    return {
        **dict.fromkeys(_COMPLEMENTS),
        "est_association": identifiant is not None or forme in _ASSOCIATIONS,
        "est_entrepreneur_individuel": forme == SOLE_TRADER,
        "est_ess": row["u_economie_sociale_solidaire"] == "O",
        "est_societe_mission": row["u_societe_mission"] == "O",
        "identifiant_association": identifiant,
    }


def _etablissement(row: Subject) -> dict[str, Any]:
    """Return all fields of an establishment; a masked one has its number, state and commune."""
    is_clear = is_shown(row)
    # A sole trader may live there.
    has_street = is_clear and row["u_categorie_juridique"] not in _PERSONS

    def shown(value: Any) -> Any:
        return value if is_clear else None

    def of_street(name: str) -> Any:
        return row[f"e_{name}"] if has_street else None

    signs = [row[f"e_enseigne{n}"] for n in (1, 2, 3) if row[f"e_enseigne{n}"]]
    return {
        **dict.fromkeys(_NOTHING_OF_SIEGE),
        **{f"liste_{name}": None for name in _LISTS},
        "activite_principale": row["e_activite_principale"],
        "annee_tranche_effectif_salarie": shown(row["e_annee_effectifs"]),
        "adresse": _adresse(row, is_clear=is_clear, has_street=has_street),
        "code_postal": shown(row["e_code_postal"]),
        "commune": row["e_code_commune"],
        "date_creation": shown(told_creation(row["e_date_creation"], row["e_date_debut"])),
        "date_debut_activite": shown(row["e_date_debut"]),
        "date_fermeture": None,
        "date_mise_a_jour_insee": row["e_date_dernier_traitement"],
        "departement": row["e_departement"],
        "est_siege": row["e_nic"] == row["u_nic_siege"],
        "etat_administratif": row["e_etat_administratif"],
        "indice_repetition": of_street("indice_repetition"),
        "libelle_commune": row["e_libelle_commune"],
        "libelle_voie": of_street("libelle_voie"),
        "liste_enseignes": shown(signs or None),
        "nom_commercial": shown(row["e_denomination_usuelle"]),
        "numero_voie": of_street("numero_voie"),
        "region": row["e_region"],
        "siret": row["e_siret"],
        "statut_diffusion_etablissement": row["e_statut_diffusion"],
        "tranche_effectif_salarie": shown(row["e_tranche_effectifs"]),
        "type_voie": of_street("type_voie"),
    }


def _adresse(row: Subject, *, is_clear: bool, has_street: bool) -> str:
    street = ("numero_voie", "indice_repetition", "type_voie", "libelle_voie")
    parts = [row[f"e_{name}"] for name in street] if has_street else []
    parts += [row["e_code_postal"] if is_clear else None, row["e_libelle_commune"]]
    return " ".join(part for part in parts if part)


def _person(row: Subject) -> str | None:
    names = [row["u_prenom_usuel"] or row["u_prenom1"], row["u_nom_usage"] or row["u_nom"]]
    return " ".join(name for name in names if name) or None
