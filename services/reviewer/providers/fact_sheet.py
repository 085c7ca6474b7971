"""The facts as a model is told them: slots and INSEE's own words, no word a stranger chose. Pure.

A fact has the name of its slot and the one by which the validator knows what a sentence tells.
"""

import datetime as dt
import json
from collections.abc import Mapping

from services.reviewer.french.grammar import MOIS, date_en_lettres, nombre
from services.reviewer.french.labels import clean_name, readable_activite
from services.reviewer.french.phrases import activite, effectif, forme
from services.reviewer.notices.slots import (
    ANCIENNE_ENSEIGNE,
    CODE_POSTAL,
    COMMUNE,
    DENOMINATION,
    DEPARTEMENT,
    ENSEIGNE,
    NOM,
    PREDECESSEUR,
    REGION,
    SIRET,
    VOIE,
    slots_of,
)
from shared.sirene.context import Context, Sites, Trade
from shared.sirene.facts import Facts

_NO_EMPLOYEE = "aucun salarié déclaré à la fin de l’année de référence"
_CATEGORIES = {
    "PME": "petite ou moyenne entreprise",
    "ETI": "entreprise de taille intermédiaire",
    "GE": "grande entreprise",
}
_RANKS = {1: "le plus ancien", 2: "le deuxième plus ancien", 3: "le troisième plus ancien"}


def facts_json(facts: Facts) -> str:
    """Return a JSON object of the facts that are known."""
    slots = slots_of(facts)
    told = {
        **_of_establishment(facts, slots),
        **_of_unit(facts, slots),
        **_of_context(facts.context, slots),
    }
    present = {name: value for name, value in told.items() if value is not None}
    return json.dumps(present, ensure_ascii=False, indent=2)


def _of_establishment(facts: Facts, slots: Mapping[str, str]) -> dict[str, object]:
    activity, day = activite(facts), facts.date_creation
    return {
        "nom": _slot(NOM, slots),
        "enseigne": _slot(ENSEIGNE, slots),
        "voie": _slot(VOIE, slots),
        "code_postal": _slot(CODE_POSTAL, slots),
        "commune": _slot(COMMUNE, slots),
        "departement": slots.get(DEPARTEMENT),
        "region": slots.get(REGION),
        "siret": _slot(SIRET, slots),
        "activite": None if activity is None else activity.intitule,
        "annee": facts.annee_creation if day is None else date_en_lettres(day),
        "effectif": _headcount(facts.tranche_effectifs, facts.annee_effectifs),
        "siege": facts.est_siege,
    }


def _of_unit(facts: Facts, slots: Mapping[str, str]) -> dict[str, object]:
    form, day = forme(facts), facts.unite_date_creation
    category = _CATEGORIES.get(facts.categorie_entreprise or "")
    return {
        "denomination": _slot(DENOMINATION, slots),
        "forme": None if form is None else form.libelle,
        "annee_unite": None if day is None else date_en_lettres(day),
        "effectif_unite": _headcount(facts.unite_tranche_effectifs, facts.unite_annee_effectifs),
        "categorie": category
        if category is None or facts.annee_categorie_entreprise is None
        else f"{category}, en {facts.annee_categorie_entreprise}",
        "economie_sociale_solidaire": facts.economie_sociale_solidaire or None,
        "societe_mission": facts.societe_mission or None,
        "employeur": facts.employeur or None,
    }


def _of_context(context: Context, slots: Mapping[str, str]) -> dict[str, object]:
    """Return the counts with their month, and the newest change of each kind with its day."""
    trade, sites = context.trade, context.sites
    told: dict[str, object] = {}
    if sites is not None:
        told["etablissements"] = f"{_sites(sites)}, {_in_month(sites.month)}"
    if trade is not None:
        told["metier"] = f"{_trade(trade)}, {_in_month(trade.month)}"
        told["rang"] = None if trade.size == "alone" else _RANKS.get(trade.rank or 0)
    for former in context.former_activites[:1]:
        label = readable_activite(clean_name(former.value))
        told["ancienne_activite"] = f"{label}, avant le {date_en_lettres(former.until)}"
    for former in context.former_enseignes[:1]:
        sign = _slot(ANCIENNE_ENSEIGNE, slots)
        if sign is not None:
            told["ancienne_enseigne"] = f"{sign}, avant le {date_en_lettres(former.until)}"
    for link in context.predecessors[:1]:
        day, place = date_en_lettres(link.day), _slot(PREDECESSEUR, slots)
        move = "siège transféré le" if link.transfert_siege else "adresse nouvelle depuis le"
        left = "" if place is None else f", auparavant à {place}"
        told["predecesseur"] = (
            f"{move} {day}{left}"
            if link.same_unit
            else f"a succédé à l’établissement d’une autre entreprise le {day}"
        )
    for link in context.successors[:1]:
        day = date_en_lettres(link.day)
        told["successeur"] = f"un autre établissement lui a succédé le {day}"
    return told


def _slot(slot: str, known: Mapping[str, str]) -> str | None:
    return f"{{{slot}}}" if slot in known else None


def _headcount(tranche: str | None, year: int | None) -> str | None:
    staff = _NO_EMPLOYEE if tranche == "00" else effectif(tranche)
    return staff if staff is None or year is None else f"{staff}, fin {year}"


def _sites(sites: Sites) -> str:
    if sites.open == 1:
        told = "un seul établissement ouvert"
    elif sites.communes == 1:
        told = f"{nombre(sites.open)} établissements ouverts dans la même commune"
    else:
        told = f"{nombre(sites.open)} établissements ouverts dans {nombre(sites.communes)} communes"
    if sites.closed == 0:
        return told
    closed = "est fermé" if sites.closed == 1 else "sont fermés"
    return f"{told}, {nombre(sites.closed)} {closed}"


def _trade(trade: Trade) -> str:
    if trade.size == "alone":
        return "le seul établissement de cette activité dans la commune"
    staff = (
        f"{nombre(trade.with_employees)} avec des salariés"
        if trade.with_employees
        else "aucun n’a de salarié"
    )
    return (
        f"{nombre(trade.etablissements)} établissements de cette activité dans la commune, "
        f"dont {staff}"
    )


def _in_month(month: dt.date) -> str:
    return f"en {MOIS[month.month - 1]} {month.year}"
