"""The conditions of the grammar: the rows of its rules that the facts switch on."""

import re

from services.reviewer.french.data import formes_juridiques
from services.reviewer.french.folding import fold
from services.reviewer.french.labels import split_arrondissement
from services.reviewer.validation.known import Known, form_labels
from services.reviewer.validation.literals import has_one_year, has_two_names, tells_unit_band
from services.reviewer.validation.sentences.activity import ActivityWords
from shared.sirene.context import NO_CONTEXT, Former
from shared.sirene.facts import Facts

_PAIR = 2
_FEMININE = re.compile(
    r"\b(?:societe|association|commune|cooperative|mutuelle|fondation|sarl|eurl|sasu?|sa|sci|scop)\b"
)


def unit_bounds(facts: Facts, known: Known) -> frozenset[int] | None:
    """Return the limits of the headcount that is told of the unit."""
    return known.unit_bounds if tells_unit_band(facts) else known.bounds


def conditions(facts: Facts, known: Known, activity: ActivityWords) -> frozenset[str]:
    """Return the conditions that hold."""
    found = {
        **_of_register(facts, known, activity),
        **_of_unit(facts, known),
        **_of_context(facts),
    }
    return frozenset(name for name, holds in found.items() if holds)


def _of_register(facts: Facts, known: Known, activity: ActivityWords) -> dict[str, bool]:
    return {
        "siege": facts.est_siege,
        "secondaire": not facts.est_siege,
        "nul": known.bounds == frozenset({0}),
        "muet": known.bounds is None,
        "emploie": known.bounds not in (None, frozenset({0})),
        "detail": "vente" in activity.heads and "détail" in activity.words,
        # No date is bound to the establishment or the unit: what is read apart may have any.
        "simple": has_one_year(facts)
        and (facts.annee_effectifs, facts.unite_annee_effectifs) == (None, None),
        "location": "location" in activity.heads,
        "travaux": "travaux" in activity.heads,
        "double": has_two_names(facts),
        "arrondissement": split_arrondissement(known.commune or "") is not None,
        "adresse": facts.voie is not None,
        "signe": facts.enseigne is not None and fold(facts.enseigne) == fold(facts.nom),
    }


def _of_unit(facts: Facts, known: Known) -> dict[str, bool]:
    bounds, form = (
        unit_bounds(facts, known),
        formes_juridiques().get(facts.categorie_juridique or ""),
    )
    return {
        "individuel": "ei" in known.forms,
        "morale": "ei" not in known.forms and bool(known.forms),
        "collectivite": any(re.search("commune|collectivite", one) for one in form_labels(facts)),
        "hors_rcs": "non immatriculee" in fold(facts.forme or ""),
        "unite_avant": _is_older(facts),
        "un_jour": facts.date_creation is not None
        and facts.date_creation == facts.unite_date_creation,
        "masculin": _is_masculine(facts) if form is None else form.genre == "m",
        "nul_unite": bounds == frozenset({0}),
        "muet_unite": bounds is None,
        "meme_date": facts.annee_creation is not None and has_one_year(facts),
        "ensemble": known.bounds is not None and tells_unit_band(facts),
        "categorie": facts.categorie_entreprise is not None,
        "pme": facts.categorie_entreprise == "PME",
        "eti": facts.categorie_entreprise == "ETI",
        "ge": facts.categorie_entreprise == "GE",
        "ess": facts.economie_sociale_solidaire,
        "mission": facts.societe_mission,
        "employeur": facts.employeur is True,
        "non_employeur": facts.employeur is False,
    }


def _is_older(facts: Facts) -> bool:
    """Return whether the unit was created before the establishment had its number."""
    day, unit = facts.date_creation, facts.unite_date_creation
    return day is not None and unit is not None and unit < day


def _is_masculine(facts: Facts) -> bool:
    """Return whether « il » may be a unit whose form has no code.

    It may not where that would tell another headcount, and the form's label has a feminine noun.
    """
    return not tells_unit_band(facts) or not any(
        _FEMININE.search(label) for label in form_labels(facts)
    )


def _of_context(facts: Facts) -> dict[str, bool]:
    context = facts.context
    trade, sites = context.trade, context.sites
    before = next(iter(context.predecessors), None)
    found = {
        "metier": trade is not None,
        "du_metier": trade is not None,
        "rappel": True,
        "sites": sites is not None,
        "celui": trade is not None or sites is not None,
        "histoire": context != NO_CONTEXT,
        "reconverti": bool(context.former_activites),
        "rebaptise": bool(context.former_enseignes),
        "meme_changement": [one.until for one in context.former_activites[:1]]
        == [one.until for one in context.former_enseignes[:1]],
        "demenage": before is not None and before.same_unit,
        "transfert": before is not None
        and before.same_unit
        and before.transfert_siege
        and (facts.est_siege or facts.siret == ""),
        "succede": before is not None and not before.same_unit,
        "remplace": bool(context.successors),
        "meme_jour": before is not None and before.day == facts.date_creation,
        "fin_mois_activite": any(one.until.day == 1 for one in context.former_activites[:1]),
        "fin_mois_enseigne": any(one.until.day == 1 for one in context.former_enseignes[:1]),
        "veille_fin_an": any(map(_starts_a_year, context.former_activites[:1])),
    }
    if trade is not None:
        found |= {f"rang{rank}": trade.rank == rank for rank in (1, 2, 3)}
        found |= {
            "seul_metier": trade.size == "alone",
            "sans_employeur": trade.with_employees == 0,
            "seul_employeur": trade.with_employees == 1 and facts.employeur is True,
            "paire": trade.etablissements == _PAIR,
            "tous_employeurs": trade.with_employees == trade.etablissements > 1,
        }
    if sites is not None:
        found |= {
            "seul_site": sites.open == 1,
            "ferme": sites.closed > 0,
            "une_commune": sites.communes == 1,
            "par_commune": sites.communes == sites.open > 1,
            "autre_commune": sites.communes == sites.open == _PAIR,
        }
    return found


def _starts_a_year(former: Former) -> bool:
    return (former.until.month, former.until.day) == (1, 1)
