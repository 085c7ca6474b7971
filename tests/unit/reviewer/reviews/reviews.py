"""A review with all its particulars, as a file tells it."""

import datetime as dt
from typing import Any

from services.reviewer.reviews.source import Source
from shared.sirene.facts import Facts

FACTS = Facts(
    siret="30000000000012",
    siren="300000000",
    nom="ATELIER DUPONT",
    commune="Le Mans",
    code_commune="72181",
)
TERMS = {
    "site": "Avis Exemple",
    "verification": "purchase",
    "verification_description": "le numéro de la facture est comparé avec celui du vendeur",
    "counterpart": False,
    "publication_days": 7,
    "retention_days": 1825,
    "author_contact": True,
    "modification": "par l’auteur, pendant trente jours",
    "refusal_grounds": "injures, données personnelles, hors sujet",
    "doubt_url": "https://avis.example/signaler",
}


def source(number: int = 0, **values: Any) -> Source:
    """Return a review; each number is another one, a day older."""
    return Source.model_validate(
        {
            **TERMS,
            "siret": FACTS.siret,
            "review_id": f"r-{number}",
            "url": f"https://avis.example/avis/{number}",
            "licence": "CC BY 4.0",
            "author_label": f"Marie {chr(65 + number % 26)}.",
            "published_on": dt.date(2026, 1, 31) - dt.timedelta(days=number % 26),
            "experienced_on": dt.date(2025, 12, 1),
            "updated_on": None,
            "verbatim": f"Très bon accueil, je recommande ! ({number})",
            **values,
        }
    )
