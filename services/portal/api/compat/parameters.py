"""The parameters of API Recherche d'entreprises: those that are answered here, and the others."""

from services.portal.api import parameters as parameter
from services.portal.api.recherche import FILTERS
from services.portal.search.engine import LARGEST_RADIUS_KM

MOST_PER_PAGE = 25
MOST_PAGE = 40
MOST_MATCHING = 100
SECONDARY = ("complements", "dirigeants", "finances", "matching_etablissements", "siege", "score")

_OWN_FILTERS = tuple(each for each in FILTERS if each.name not in {"etat", "siege"})
_FORM = (
    parameter.truth("minimal", "Sans les champs secondaires."),
    parameter.subset("include", "Les champs secondaires à garder, avec minimal.", *SECONDARY),
    parameter.whole(
        "limite_matching_etablissements", "Établissements par unité.", 1, MOST_MATCHING, default=10
    ),
    parameter.whole("page", "La page.", 1, MOST_PAGE, default=1),
    parameter.whole("per_page", "Unités par page.", 1, MOST_PER_PAGE, default=10),
)
SEARCH_PARAMETERS = (
    parameter.text("q", "Un nom, un lieu ou un numéro.", longest=200),
    *_OWN_FILTERS,
    parameter.chosen("etat_administratif", "A : active, C : cessée.", "A", "C"),
    *_FORM,
)
NEAR_POINT_PARAMETERS = (
    parameter.decimal("lat", "Latitude.", -90, 90),
    parameter.decimal("long", "Longitude.", -180, 180),
    parameter.decimal("radius", "Rayon en km.", 0.001, LARGEST_RADIUS_KM),
    *(each for each in _OWN_FILTERS if each.name == "activite_principale"),
    *_FORM,
)
# A client that filters by one of these must not believe that it was done.
NOT_OFFERED = frozenset(
    [
        "categorie_entreprise",
        "code_collectivite_territoriale",
        "convention_collective_renseignee",
        "egapro_renseignee",
        "epci",
        "est_achats_responsables",
        "est_administration",
        "est_alim_confiance",
        "est_association",
        "est_bio",
        "est_collectivite_territoriale",
        "est_entrepreneur_individuel",
        "est_entrepreneur_spectacle",
        "est_ess",
        "est_finess",
        "est_organisme_formation",
        "est_patrimoine_vivant",
        "est_qualiopi",
        "est_rge",
        "est_siae",
        "est_societe_mission",
        "est_uai",
        "id_convention_collective",
        "id_finess",
        "id_rge",
        "id_uai",
        "section_activite_principale",
        "nom_personne",
        "prenoms_personne",
        "date_naissance_personne_min",
        "date_naissance_personne_max",
        "type_personne",
        "ca_min",
        "ca_max",
        "resultat_net_min",
        "resultat_net_max",
        "page_etablissements",
        "sort_by_size",
    ]
)
