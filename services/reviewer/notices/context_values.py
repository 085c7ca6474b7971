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
from shared.sirene.facts import Facts

Slots = Iterator[tuple[str, str | None]]

_COUNTED = (
    "entreprises individuelles et unités non diffusées comprises",
    "entreprises individuelles et unités à diffusion partielle comprises",
    "entrepreneurs individuels et unités non diffusées compris",
    "y compris les entreprises individuelles et les unités non diffusées",
    "y compris les entrepreneurs individuels et les unités à diffusion partielle",
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
_TWO = 2
_SEMICOLON = f"{NBSP}; "


def context_values(facts: Facts, *, year: int, draws: Draws) -> Slots:
    yield from _trade(facts, draws)
    yield from _unit_figures(facts, year)
    yield from _sites(facts)
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
        yield "DONT", f", dont {en_lettres(employers)} avec des salariés"
        yield "ONT", f"{_SEMICOLON}{en_lettres(employers)} {_have(employers)} des salariés"
    if trade.rank is not None and trade.rank <= len(_RANKS):
        oldest, first = _RANKS[trade.rank - 1]
        yield "PLUS_ANCIEN", oldest
        yield "PREMIER", first


def _have(count: int) -> str:
    return "a" if count == 1 else "ont"


def _unit_figures(facts: Facts, year: int) -> Slots:
    band = told_band(facts.unite_tranche_effectifs, facts.unite_annee_effectifs, year=year)
    if band is not None and band != "00":
        yield "EFFECTIF_UNITE", people(band, "salarié")
        yield "AN_EFFECTIF_UNITE", str(facts.unite_annee_effectifs)
    yield "CATEGORIE", _CATEGORIES.get(facts.categorie_entreprise or "")
    if facts.annee_categorie_entreprise is not None:
        yield "AN_CATEGORIE", str(facts.annee_categorie_entreprise)


def _sites(facts: Facts) -> Slots:
    sites = facts.context.sites
    if sites is None:
        return
    yield "MOIS_SITES", mois_en_lettres(sites.month)
    yield "OUVERTS", en_lettres(sites.open)
    many = f" dans {en_lettres(sites.communes)} communes"
    yield "DANS", many if sites.communes > 1 else " dans la même commune"
    closed = sites.closed
    if closed == 0:
        yield "FERMES", ""
        yield "FERMEES", ""
        return
    s, verb = ("s", "sont") if closed > 1 else ("", "est")
    others = "une autre" if closed == 1 else f"{en_lettres(closed)} autres"
    yield "FERMES", f"{_SEMICOLON}{others.replace('une', 'un')} {verb} fermé{s}"
    yield "FERMEES", f"{_SEMICOLON}{others} {verb} fermée{s}"
    yield "AUTRES_ADRESSES", f"{capital(others)} adresse{s}"
    yield "SONT_FERMEES", f"{verb} fermée{s}"


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
