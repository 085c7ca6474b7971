"""The facts of a text in French, for people. Pure."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

_NAMES = {
    "nom": "Nom",
    "denomination": "Dénomination",
    "enseigne": "Enseigne",
    "sigle": "Sigle",
    "forme": "Forme juridique",
    "activite": "Activité",
    "voie": "Adresse",
    "code_postal": "Code postal",
    "commune": "Commune",
    "departement": "Département",
    "est_siege": "Siège de l’unité",
    "date_creation": "Création de l’établissement",
    "effectif": "Effectif de l’établissement",
    "annee_effectifs": "Année de cet effectif",
    "unite_date_creation": "Création de l’unité",
    "unite_effectif": "Effectif de l’unité",
    "unite_annee_effectifs": "Année de cet effectif (unité)",
    "categorie_entreprise": "Catégorie d’entreprise",
    "annee_categorie_entreprise": "Année de cette catégorie",
    "economie_sociale_solidaire": "Économie sociale et solidaire",
    "societe_mission": "Société à mission",
    "employeur": "Employeur",
    "trade": "Confrères de la commune",
    "sites": "Établissements de l’unité",
    "former_activites": "Anciennes activités",
    "former_enseignes": "Anciennes enseignes",
    "predecessors": "Prédécesseurs",
    "successors": "Successeurs",
}
_INNER = {
    "etablissements": "établissements",
    "with_employees": "dont employeurs",
    "month": "au",
    "rank": "rang par ancienneté",
    "open": "ouverts",
    "closed": "fermés",
    "communes": "communes",
    "value": "",
    "until": "jusqu’au",
    "siret": "SIRET",
    "day": "le",
    "same_unit": "même unité",
    "transfert_siege": "transfert de siège",
    "continuite_economique": "continuité économique",
    "commune": "à",
    "voie": "",
}


class FactLine(NamedTuple):
    name: str
    words: str


def fact_lines(facts: Mapping[str, Any]) -> list[FactLine]:
    """Return the facts that people know by a name; codes and numbers beside them are left out."""
    told = facts | facts.get("context", {})
    return [
        FactLine(name, _words(told[key]))
        for key, name in _NAMES.items()
        if told.get(key) not in (None, "", [], {}, False)
    ]


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, dict):
        told = (
            f"{_INNER.get(name, name)} {_words(each)}".strip()
            for name, each in value.items()
            if each not in (None, False)
        )
        return ", ".join(told)
    if isinstance(value, list):
        return " ; ".join(map(_words, value))
    return _date(value) if isinstance(value, str) else str(value)


def _date(value: str) -> str:
    try:
        return f"{dt.date.fromisoformat(value):%d/%m/%Y}"
    except ValueError:
        return value
