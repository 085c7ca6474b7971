"""The values of the slots that tell of other rows: the trade, the unit's sites, what was before."""

from collections.abc import Iterator
from dataclasses import replace

from services.reviewer.french.grammar import (
    NBSP,
    capital,
    date_en_lettres,
    en_lettres,
    lieu,
    mois_en_lettres,
)
from services.reviewer.french.labels import clean_name, nom_de_commune
from services.reviewer.french.names import shown
from services.reviewer.french.phrases import activity_of, people
from services.reviewer.notices.draws import Draws
from services.reviewer.notices.matters import move_of, succession_of, told_band
from shared.sirene.context import Sites
from shared.sirene.facts import Facts

Slots = Iterator[tuple[str, str | None]]

_COUNTED = tuple(
    wording
    for people, counted in (
        ("entreprises individuelles", "comprises"),
        ("entrepreneurs individuels", "compris"),
    )
    for units in ("non diffusées", "partiellement diffusées", "à diffusion partielle")
    for wording in (
        f"{people} et unités {units} {counted}",
        f"unités {units} et {people} {counted}",
        f"y compris les {people} et les unités {units}",
        f"y compris les unités {units} et les {people}",
        f"avec les {people} et les unités {units}",
        f"en comptant les unités {units} et les {people}",
    )
)
_CATEGORIES = {
    "PME": "petites et moyennes entreprises (PME)",
    "ETI": "entreprises de taille intermédiaire (ETI)",
    "GE": "grandes entreprises",
}
_RANKS = (
    ("plus ancien", "premier"),
    ("deuxième plus ancien", "deuxième"),
    ("troisième plus ancien", "troisième"),
)
_WITH = ("avec", "employant")
_VERBS = (("a", "ont"), ("emploie", "emploient"))
_ENDS = (("est fermé", "sont fermé"), ("a été fermé", "ont été fermé"))
"""The ends of one closed place and of several, before their agreement."""
_TWO = 2
_SEMICOLON = f"{NBSP}; "


def context_values(facts: Facts, *, year: int, draws: Draws) -> Slots:
    yield from _trade(facts, draws)
    yield from _unit_figures(facts, year)
    yield from _sites(facts, draws)
    yield from _past(facts)
    yield from _move(facts)


def _trade(facts: Facts, draws: Draws) -> Slots:
    trade = facts.context.trade
    if trade is None:
        return
    employers = trade.with_employees
    yield "MOIS_METIER", mois_en_lettres(trade.month)
    yield "COMPRIS", _COUNTED[draws.below(len(_COUNTED), "counted")]
    yield "ETABLISSEMENTS", en_lettres(trade.etablissements)
    if employers == 0:
        yield "DONT", ""
        yield "ONT", ""
    elif employers == trade.etablissements:
        two = employers == _TWO
        yield "DONT", f", tous{' deux' if two else ''} avec des salariés"
        yield "ONT", f"{_SEMICOLON}{'les deux' if two else 'tous'} ont des salariés"
    else:
        told = en_lettres(employers)
        yield "DONT", f", dont {told} {_WITH[draws.below(len(_WITH), 'with')]} des salariés"
        verb = _VERBS[draws.below(len(_VERBS), "employers")][employers > 1]
        have = f"{told} {verb} des salariés"
        yield "ONT", f"{_SEMICOLON}{have}"
        yield "SALARIANTS", have
    if trade.rank is not None and trade.rank <= len(_RANKS):
        oldest, first = _RANKS[trade.rank - 1]
        yield "PLUS_ANCIEN", oldest
        yield "PREMIER", first


def _unit_figures(facts: Facts, year: int) -> Slots:
    band = told_band(facts.unite_tranche_effectifs, facts.unite_annee_effectifs, year=year)
    if band is not None and band != "00":
        staff = people(band, "salarié")
        yield "EFFECTIF_UNITE", staff
        # « 200 à 249 » after the establishment's « 100 à 199 salariés » of the same year.
        if facts.unite_annee_effectifs == facts.annee_effectifs and " à " in staff:
            yield "NOMBRE_UNITE", staff.removesuffix("salariés").rstrip()
        yield "AN_EFFECTIF_UNITE", str(facts.unite_annee_effectifs)
    yield "CATEGORIE", _CATEGORIES.get(facts.categorie_entreprise or "")
    if facts.annee_categorie_entreprise is not None:
        yield "AN_CATEGORIE", str(facts.annee_categorie_entreprise)


def _sites(facts: Facts, draws: Draws) -> Slots:
    sites = facts.context.sites
    if sites is None:
        return
    yield "MOIS_SITES", mois_en_lettres(sites.month)
    yield "OUVERTS", en_lettres(sites.open)
    same = ("la même", "une seule")[draws.below(2, "same commune")]
    yield "TOUS_DANS", _spread(sites, "tous", same)
    yield "TOUTES_DANS", _spread(sites, "toutes", same)
    closed = sites.closed
    if closed == 0:
        yield "FERMES", ""
        yield "FERMEES", ""
        return
    many = closed > 1
    s, verb = ("s", "sont") if many else ("", "est")
    others = "une autre" if closed == 1 else f"{en_lettres(closed)} autres"
    ends = _ENDS[draws.below(len(_ENDS), "closed")][many]
    yield "FERMES", f"{_SEMICOLON}{others.replace('une', 'un')} {ends}{s}"
    yield "FERMEES", f"{_SEMICOLON}{others} {ends}e{s}"
    yield "AUTRES_ADRESSES", f"{capital(others)} adresse{s}"
    yield "SONT_FERMEES", f"{verb} fermée{s}"


def _spread(sites: Sites, every: str, same: str) -> str:
    if sites.communes > 1:
        return f" dans {en_lettres(sites.communes)} communes"
    both = " deux" if sites.open == _TWO else ""
    return f", {every}{both} dans {same} commune"


def _past(facts: Facts) -> Slots:
    context = facts.context
    if context.former_activites:
        former = context.former_activites[0]
        label = activity_of(former.value)
        yield "LE_CHANGEMENT", f"le {date_en_lettres(former.until)}"
        if label is not None:
            yield "INTITULE_PASSE", f"«{NBSP}{label.intitule}{NBSP}»"
            yield "ACTIVITE_PASSEE", label.en_bas
    if context.former_enseignes:
        sign = context.former_enseignes[0]
        yield "LE_JOUR_ENSEIGNE", f"le {date_en_lettres(sign.until)}"
        yield "ENSEIGNE_PASSEE", shown(sign.value, facts) or None


def _move(facts: Facts) -> Slots:
    move = move_of(facts)
    if move is not None:
        yield "LE_TRANSFERT", f"le {date_en_lettres(move.day)}"
        town = nom_de_commune(replace(facts, commune=move.commune, code_commune=None)) or ""
        street = clean_name(move.voie or "").replace("'", "’")
        after = f", {street}" if street else ""
        yield "VOIE_PASSEE", after
        yield "IL_ETAIT", f"{_SEMICOLON}il était auparavant {lieu(town).a}{after}" if town else ""
        yield "DEUX_POINTS_PASSE", f"{NBSP}: {lieu(town).a}{after}" if town else ""
        yield "LIEU_PASSE", lieu(town).a if town else None
    succession = succession_of(facts)
    if succession is not None:
        day = f"le {date_en_lettres(succession.day)}"
        yield "LA_SUCCESSION", day
        yield "LA_SUCCESSION_MAJ", capital(day)
