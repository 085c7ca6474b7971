"""The values of the slots in the sentences of templates: facts as French phrases.

A slot without a value is missing here: no sentence that has it can be written.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping

from services.reviewer.french.clauses import clause
from services.reviewer.french.data import FormeJuridique
from services.reviewer.french.grammar import NBSP, capital, date_en_lettres, mois_en_lettres
from services.reviewer.french.labels import clean_name
from services.reviewer.french.legal_entity import (
    ORGANISME,
    Entite,
    acronym_of,
    entite,
    is_over_the_door,
    is_public,
    short_form,
)
from services.reviewer.french.names import shown_name
from services.reviewer.french.phrases import activite, forme, people
from services.reviewer.french.places import place_of
from services.reviewer.notices.context_values import context_values
from services.reviewer.notices.draws import Draws
from services.reviewer.notices.matters import creation_of, told_band
from services.reviewer.notices.slots import other_name
from shared.sirene.facts import Facts
from shared.sirene.records import SOLE_TRADER

Slots = Iterator[tuple[str, str | None]]

_SEMICOLON = f"{NBSP}; "
_ACTIVITIES = re.compile(r"(?i)(?:autres? )?activités?\b")
"""« Activité : activités juridiques » says it twice."""


def values_of(facts: Facts, *, year: int, draws: Draws) -> Mapping[str, str]:
    unit = entite(facts)
    found = (
        *_names(facts, unit),
        *_place(facts),
        *_form(facts, draws),
        *_activity(facts),
        *_beginning(facts, unit, draws),
        *_headcount(facts, year),
        *_unit(unit),
        *context_values(facts, year=year, draws=draws),
    )
    return {slot: value for slot, value in found if value is not None}


def _names(facts: Facts, unit: Entite) -> Slots:
    nom = shown_name(facts)
    yield "NOM", nom
    is_person = facts.categorie_juridique == SOLE_TRADER and facts.nom != facts.enseigne
    own = (unit.nommee or is_person) and facts.denomination is None
    yield "SUJET_BAS", unit.le if own else nom
    yield "SUJET", capital(unit.le) if own else nom
    yield "ENTITE", unit.le
    yield "ENTITE_MAJ", capital(unit.le)
    yield "DE_ENTITE", unit.de
    if unit.has_sort:
        yield "LA_SOCIETE", unit.le
        yield "LA_SOCIETE_MAJ", capital(unit.le)
        yield "DE_LA_SOCIETE", unit.de
    if facts.denomination is not None:
        yield "L_AUTRE_NOM", capital(unit.le) if unit.nommee else unit.nom
    if not is_public(facts):
        yield "LE_NOM", "l’enseigne" if is_over_the_door(facts) else "le nom"
    yield "ENSEIGNE", other_name(facts.enseigne, facts)


def _place(facts: Facts) -> Slots:
    place = place_of(facts)
    if place is None:
        return
    yield "LIEU", place.first
    yield "LIEU_MAJ", capital(place.first)
    yield "A_COMMUNE", place.again
    yield "A_COMMUNE_MAJ", capital(place.again)
    # « La commune compte … » would be the unit.
    yield "LA_COMMUNE", None if is_public(facts) else capital(place.kind)
    street = clean_name(facts.voie or "").replace("'", "’")
    yield "VOIE", f", {street}" if street else ""
    yield "VOIE_ET", f", {street}," if street else ""


def _form(facts: Facts, draws: Draws) -> Slots:
    form = forme(facts)
    if form is None:
        return
    label = short_form(form)
    acronym = acronym_of(form)
    if acronym is not None and draws.below(3, "acronym") == 0:
        label = acronym
    yield "FORME", label
    # « Fondation, X a son siège … » reads badly.
    yield "FORME_DEVANT", capital(label) if " " in label else None
    yield "UNE_FORME", f"{_une(form)} {label}"
    yield "D_UNE_FORME", f"d’{_une(form)} {label}"
    yield "E_FORME", "e" if form.genre == "f" else ""


def _une(form: FormeJuridique) -> str:
    return "une" if form.genre == "f" else "un"


def _activity(facts: Facts) -> Slots:
    activity = activite(facts)
    if activity is None:
        return
    label, title = _without_gloss(activity.en_bas), f"«{NBSP}{activity.intitule}{NBSP}»"
    yield "ACTIVITE", label
    yield "INTITULE", title
    if _ACTIVITIES.match(label):
        yield "DOMAINE", label
        yield "RUBRIQUE", title
    words = clause(facts)
    yield "SOIT", f", soit {words}" if words is not None else ""
    if activity.groupe is not None:
        yield "GROUPE", activity.groupe
        yield "GROUPE_SINGULIER", None if activity.pluriel else activity.groupe


def _without_gloss(label: str) -> str:
    """Leave out INSEE's gloss on « commerce de gros », which serves a title."""
    return label.replace(" (commerce interentreprises)", "")


def _beginning(facts: Facts, unit: Entite, draws: Draws) -> Slots:
    """Yield the day of this number, and the unit's own, which is told once."""
    form, day, created = forme(facts), facts.date_creation, creation_of(facts)
    e = "e" if form is not None and form.genre == "f" else ""
    in_opening = created is not None and draws.below(2, "created") > 0
    in_year = _in_year(f" créé{e}", created) if in_opening else ""
    yield "CREEE", in_year
    yield "CREEE_INCISE", f",{in_year}," if in_year else ""
    yield "CREEE_FIN", f",{in_year}" if in_year else ""
    later = created is not None and created != day and not in_opening
    yield "UNITE_CREEE", f"{_SEMICOLON}{_created(unit, created, draws)}" if later else ""
    if created is not None and not in_opening:
        yield "LE_DEBUT_UNITE", f"le {date_en_lettres(created)}"
        yield "DU_DEBUT_UNITE", f"du {date_en_lettres(created)}"
        yield "CREE", f"créé{'e' if unit.noun.genre == 'f' else ''}"
    if day is not None:
        yield "DEBUT", date_en_lettres(day)
        yield "DU_DEBUT", f"du {date_en_lettres(day)}"
        yield "MOIS_DEBUT", mois_en_lettres(day)
    elif facts.annee_creation is not None:
        yield "DU_DEBUT", f"de {facts.annee_creation}"
        yield "MOIS_DEBUT", str(facts.annee_creation)


def _in_year(participle: str, day: dt.date | None) -> str:
    return "" if day is None else f"{participle} en {day.year}"


def _created(unit: Entite, day: dt.date | None, draws: Draws) -> str | None:
    if day is None:
        return None
    noun, date = unit.noun, date_en_lettres(day)
    e = "e" if noun.genre == "f" else ""
    ways = (
        f"{noun.le} a été créé{e} le {date}",
        f"{noun.le} a été créé{e} en {day.year}",
        f"{noun.le} date du {date}",
        f"la création {noun.de} date du {date}",
    )
    return ways[draws.below(len(ways), "unit created")]


def _headcount(facts: Facts, year: int) -> Slots:
    band = told_band(facts.tranche_effectifs, facts.annee_effectifs, year=year)
    if band is not None:
        yield "AN_EFFECTIF", str(facts.annee_effectifs)
    if band in {None, "00"}:
        yield "EFFECTIF_BREF", ""
        return
    staff = people(band, "salarié")
    yield "EFFECTIF", staff
    persons = people(band, "personne")
    yield "PERSONNES", persons
    yield "D_PERSONNES", f"d’{persons}" if persons.startswith("une ") else f"de {persons}"
    yield "D_EFFECTIF", f"d’{staff}" if staff.startswith("un ") else f"de {staff}"
    yield "EFFECTIF_BREF", f", {staff} fin {facts.annee_effectifs}"


def _unit(unit: Entite) -> Slots:
    noun = unit.noun
    yield "UNITE", noun.le
    yield "UNITE_MAJ", capital(noun.le)
    yield "DE_UNITE", noun.de
    # « Il » after « l’organisme » would be the establishment.
    told_again = noun.le if noun.word == ORGANISME else noun.pronoun
    yield "PRONOM", told_again
    yield "PRONOM_MAJ", capital(told_again)
    yield "LE_PRONOM", "le" if noun.genre == "m" else "la"
    yield "E_UNITE", "e" if noun.genre == "f" else ""
