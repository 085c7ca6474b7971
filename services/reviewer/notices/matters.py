"""The matters: what there is to say of an establishment, and how much it interests a reader."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from services.reviewer.french.folding import fold
from services.reviewer.french.legal_entity import entite, is_foreign, is_public
from services.reviewer.french.phrases import EFFECTIFS, activite
from services.reviewer.french.places import place_of
from services.reviewer.notices.slots import other_name
from shared.sirene.context import Succession
from shared.sirene.facts import Facts

LEAST_FACTS = 2
"""A text with fewer facts beyond the page's table is one short line."""

_OLDEST_FIGURE = 3
"""The most years between a figure and the year of the text."""
_TWO_NUMBERS = frozenset(EFFECTIFS) - {"01", "53"}
"""The bands that are told as « 20 à 49 »."""
_MANY = 100
_LEAST_TO_RANK = 3


@dataclass(frozen=True, slots=True)
class Matter:
    """A section of the templates. `adds` is the kind of fact beyond the table; None adds nothing.

    `weight` is the interest: 1 for what a cell says as well, 9 for what only history tells.
    """

    section: str
    weight: int
    adds: str | None


def told_band(band: str | None, band_year: int | None, *, year: int) -> str | None:
    """Return the band of headcount that may be told in this year: it has a date, not an old one."""
    if band is None or band_year is None or band_year < year - _OLDEST_FIGURE:
        return None
    return band if band == "00" or band in EFFECTIFS else None


def move_of(facts: Facts) -> Succession | None:
    """Return the move of the unit to this address, if it is the newest succession."""
    newest = next(iter(facts.context.predecessors), None)
    return newest if newest is not None and newest.same_unit else None


def succession_of(facts: Facts) -> Succession | None:
    """Return the newest succession, if it is to another unit's establishment."""
    newest = next(iter(facts.context.predecessors), None)
    return None if newest is None or newest.same_unit else newest


def creation_of(facts: Facts) -> dt.date | None:
    """Return the day of the unit's creation; that of a public body or a foreign company is none.

    It is the day of their entry: communes are older, and a foreign company came to France.
    """
    entered = is_public(facts) or is_foreign(facts)
    return None if entered else facts.unite_date_creation


def matters_of(facts: Facts, *, year: int) -> list[Matter]:
    """Return all that may be told after the opening; nothing without a place or an activity."""
    if place_of(facts) is None or activite(facts) is None:
        return []
    return [
        *_trade(facts),
        *_history(facts),
        *_headcounts(facts, year),
        *_unit(facts, year),
        *_own(facts),
    ]


def facts_added(facts: Facts, matters: list[Matter]) -> int:
    """Return how many kinds of facts a text would add to the table; the address counts."""
    kinds = {matter.adds for matter in matters if matter.adds is not None}
    of_two = any(matter.section in {"rang", "effectifs"} for matter in matters)
    return len(kinds) + of_two + (facts.voie is not None)


def _trade(facts: Facts) -> Iterator[Matter]:
    trade = facts.context.trade
    if trade is None or trade.etablissements < 1:
        return
    if trade.etablissements == 1:
        yield Matter("seul", 8, "trade")
    elif trade.rank is not None and trade.etablissements >= _LEAST_TO_RANK:
        yield Matter("rang", 9, "trade")
    else:
        yield Matter("metier", 7 if trade.etablissements <= _MANY else 5, "trade")


def _history(facts: Facts) -> Iterator[Matter]:
    context = facts.context
    now = fold(facts.activite or "")
    if any(fold(former.value) != now for former in context.former_activites[:1]):
        yield Matter("activite_passee", 8, "former activity")
    names = {fold(facts.nom), fold(facts.enseigne or "")}
    if any(fold(former.value) not in names for former in context.former_enseignes[:1]):
        yield Matter("enseigne_passee", 7, "former sign")
    move = move_of(facts)
    if move is not None:
        is_siege = move.transfert_siege and facts.est_siege
        yield Matter("siege_transfere" if is_siege else "adresse_remplacee", 9, "move")
    if succession_of(facts) is not None:
        yield Matter("succession", 8, "succession")


def _headcounts(facts: Facts, year: int) -> Iterator[Matter]:
    own = told_band(facts.tranche_effectifs, facts.annee_effectifs, year=year)
    unit = told_band(facts.unite_tranche_effectifs, facts.unite_annee_effectifs, year=year)
    if unit in {"00", own}:
        unit = None
    same_year = facts.annee_effectifs == facts.unite_annee_effectifs
    if own not in {None, "00"} and unit in _TWO_NUMBERS and same_year:
        yield Matter("effectifs", 7, "band")
        return
    if own == "00":
        yield Matter("effectif_nul", 4, "band")
    elif own is not None:
        yield Matter("effectif", 6, "band")
    if unit is None:
        return
    sites = facts.context.sites
    several = (sites is not None and sites.open > 1) or own is not None
    yield Matter("unite_effectif_total" if several else "unite_effectif", 6, "unit's band")


def _unit(facts: Facts, year: int) -> Iterator[Matter]:
    sites = facts.context.sites
    if sites is not None and sites.open > 1:
        yield Matter("sites", 8, "sites")
    elif sites is not None and sites.open == 1 and sites.closed > 0:
        yield Matter("site", 7, "sites")
    category, category_year = facts.categorie_entreprise, facts.annee_categorie_entreprise
    if category in {"ETI", "GE"} and (category_year or 0) >= year - _OLDEST_FIGURE:
        yield Matter("categorie", 6, "category")
    elif category == "PME" and (category_year or 0) >= year - _OLDEST_FIGURE:
        yield Matter("categorie", 2, None)
    if facts.societe_mission and entite(facts).noun.word == "société":
        yield Matter("mission", 8, "mission")
    if facts.economie_sociale_solidaire:
        yield Matter("solidaire", 6, "solidarity")
    if facts.employeur and facts.annee_effectifs is None:
        yield Matter("employeur", 2, None)


def _own(facts: Facts) -> Iterator[Matter]:
    created, day = creation_of(facts), facts.date_creation
    differs = created is not None and day is not None and created != day
    if day is not None or facts.annee_creation is not None:
        yield Matter("depuis", 6 if differs else 2, "unit's creation" if differs else None)
    elif created is not None:
        yield Matter("unite_creee", 4, "unit's creation")
    if other_name(facts.enseigne, facts) is not None:
        yield Matter("porte_enseigne", 7, None)
