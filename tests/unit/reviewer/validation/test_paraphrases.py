"""The validator accepts good texts that no template wrote: it knows rules, not wordings."""

from typing import Any

import pytest

from services.reviewer.commands.check import facts_from
from services.reviewer.validation import validate

_PARAPHRASES = [
    (
        {"nom": "TRANSPORTS LE BIHAN", "forme": "SAS", "commune": "Le Mans", "annee_creation": 1987,
         "activite": "Transports routiers de fret interurbains", "effectif": "50 à 99 salariés"},
        ("Basée au Mans, la société par actions simplifiée Transports Le Bihan est spécialisée "
        "dans le transport routier de fret interurbain. Fondée en 1987, elle compte entre 50 et 99 "
        "salariés."),
    ),
    (
        {"nom": "EARL DES TROIS CHÊNES", "forme": "EARL", "commune": "Ploërmel",
         "annee_creation": 1994, "activite": "Élevage de vaches laitières",
         "effectif": "aucun salarié"},
        ("L'exploitation agricole à responsabilité limitée EARL des Trois Chênes pratique "
        "l'élevage de vaches laitières dans la commune de Ploërmel. Immatriculée en 1994, "
        "elle ne déclare pas de salarié."),
    ),
    (
        {"nom": "GARAGE DU PORT", "forme": "SARL", "commune": "Les Sables-d'Olonne",
         "annee_creation": 2011, "effectif": "1 ou 2 salariés",
         "activite": "Entretien et réparation de véhicules automobiles légers"},
        ("Installé aux Sables-d'Olonne, Garage du Port assure l'entretien et la réparation de "
        "véhicules automobiles légers. Cette SARL, créée en 2011, fait état d'un effectif de 1 ou "
        "2 salariés."),
    ),
    (
        {"nom": "ASSOCIATION SPORTIVE DE CARNAC", "forme": "Association déclarée",
         "commune": "Carnac", "annee_creation": 1978, "activite": "Activités de clubs de sports"},
        ("L'Association sportive de Carnac est une association déclarée dont l'activité relève des "
        "clubs de sports. Elle a été créée en 1978 et son siège se trouve à Carnac."),
    ),
    (
        {"nom": "BOULANGERIE PICHON", "forme": "SAS", "commune": "Lyon", "annee_creation": 2015,
         "activite": "Boulangerie et boulangerie-pâtisserie", "effectif": "6 à 9 salariés"},
        ("À Lyon, Boulangerie Pichon exploite sous la forme d'une SAS une activité de boulangerie "
        "et de boulangerie-pâtisserie. L'entreprise existe depuis 2015 et son effectif est compris "
        "entre 6 et 9 salariés."),
    ),
    (
        {"nom": "SCI DU LAC", "forme": "SCI", "commune": "Annecy", "annee_creation": 1998,
         "activite": "Location de terrains et d'autres biens immobiliers"},
        ("Créée en 1998, SCI DU LAC a son adresse à Annecy. Cette société civile immobilière est "
        "enregistrée pour la location de terrains et d'autres biens immobiliers."),
    ),
    (
        {"nom": "SYNDICAT DES EAUX DE LA VALLEE", "commune": "Le Puy-en-Velay",
         "forme": "Syndicat intercommunal à vocation unique (SIVU)",
         "activite": "Captage, traitement et distribution d'eau"},
        ("Au Puy-en-Velay, SYNDICAT DES EAUX DE LA VALLEE est chargé du captage, du traitement et "
        "de la distribution d'eau. C'est un syndicat intercommunal à vocation unique."),
    ),
    (
        {"nom": "COMMUNE DE CLAMART", "forme": "Commune", "commune": "Clamart",
         "activite": "Administration publique générale"},
        ("COMMUNE DE CLAMART désigne la collectivité de Clamart, dont l'activité est "
        "l'administration publique générale. Elle figure au répertoire Sirene de l'Insee."),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "text"), _PARAPHRASES)
def test_a_good_text_that_no_template_wrote_is_accepted(facts: dict[str, Any], text: str) -> None:
    assert validate(text, facts_from(facts)).reasons == ()
