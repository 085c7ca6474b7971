"""The outline of a notice: which sections of the templates it has, in which order."""

from collections.abc import Iterable, Mapping

from services.reviewer.french.legal_entity import entite, is_foreign, is_over_the_door, is_public
from services.reviewer.french.phrases import forme
from services.reviewer.notices.draws import Draws
from services.reviewer.notices.matters import Matter
from shared.sirene.facts import Facts
from shared.sirene.records import SOLE_TRADER

ACTIVITY = "activite"

_MOST_MATTERS = 4
_LEAST_SCORE = 8
_ALWAYS = 2
_CELL = 6
"""A score below is only of a table's cell."""
_LUCK = 4
"""A draw below this is added to the weight: neighbours of one trade tell different matters."""
# « cette activité » needs the activity before it.
_AFTER_ACTIVITY = frozenset({"metier", "rang", "seul", "activite_passee"})
# « y » and « auparavant » follow the place.
_AFTER_OPENING = frozenset({"siege_transfere", "adresse_remplacee"})


def opening_of(facts: Facts) -> str:
    """Say "is a" with a legal form only of a name that is surely the unit's own."""
    is_siege = facts.est_siege and not is_foreign(facts)
    whole = "siege" if is_siege else "etablissement"
    if facts.denomination is not None:
        return f"{whole}_rattache"
    if forme(facts) is None:
        return "nom_seul"
    over_the_door = is_over_the_door(facts)
    if facts.categorie_juridique == SOLE_TRADER:
        return "enseigne" if over_the_door else f"{whole}_nomme"
    unit = entite(facts)
    if unit.nommee and unit.says_form:
        return f"{whole}_nomme"
    if is_public(facts):
        return "nom_seul"
    return "enseigne" if over_the_door else whole


def short_line(values: Mapping[str, str]) -> str:
    if "LIEU" not in values:
        return "breve_sans_lieu" if "ACTIVITE" in values else "breve_nom"
    if "ACTIVITE" not in values:
        return "breve_sans_activite"
    return "breve" if "MOIS_DEBUT" in values else "breve_sans_date"


def outline(matters: Iterable[Matter], draws: Draws) -> list[str]:
    """Return the sections after the opening: the activity, and what interests most."""
    chosen = _chosen(matters, draws)
    first = [section for section in chosen if section in _AFTER_OPENING]
    rest = [section for section in chosen if section not in _AFTER_OPENING]
    rest.sort(key=lambda section: draws.below(1000, f"order of {section}"))
    free = [section for section in rest if section not in _AFTER_ACTIVITY]
    if free and draws.below(2, "activity later") == 0:
        rest.remove(free[0])
        return [*first, free[0], ACTIVITY, *rest]
    return [*first, ACTIVITY, *rest]


def _chosen(matters: Iterable[Matter], draws: Draws) -> list[str]:
    scored = [
        (matter.weight + draws.below(_LUCK, matter.section), matter.section) for matter in matters
    ]
    best = sorted(scored, reverse=True)[:_MOST_MATTERS]
    return [
        section
        for place, (score, section) in enumerate(best)
        if score >= (_LEAST_SCORE if place >= _ALWAYS else _CELL)
    ]
