"""The wordings of dates, streets and former things, each with the kind of its fact."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.reviewer.french.folding import fold
from services.reviewer.french.grammar import MOIS, lieu
from services.reviewer.french.labels import (
    clean_name,
    nom_de_commune,
    readable_activite,
    split_arrondissement,
)
from services.reviewer.french.names import wordings
from shared.sirene.context import Succession
from shared.sirene.facts import Facts

MONTHS = tuple(map(fold, MOIS))
_YEARS = {
    "date": "annee",
    "date_unite": "annee_unite",
    "jour_activite": "an_activite",
    "jour_enseigne": "an_enseigne",
    "veille_activite": "an_veille_activite",
    "veille_enseigne": "an_veille_enseigne",
    "jour_avant": "an_avant",
    "jour_apres": "an_apres",
}
"""The name of the year of each day."""
_DAY = dt.timedelta(days=1)
FORMER_ACTIVITY = "ancien_libelle"
"""The kind of what an establishment no longer does."""
UNMASKED = frozenset({FORMER_ACTIVITY, "voie_sans_numero", "voie_avant_sans_numero"})
"""The kinds that hide nothing from the other rules: a street may have a wrong number before it."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A folded wording of a fact. `capitalised`: it counts only with a capital or a digit."""

    kind: str
    folded: str
    capitalised: bool = False
    hyphens_join: bool = False


def date_literals(facts: Facts) -> Iterator[Literal]:
    if facts.annee_creation is not None:
        yield Literal("annee", str(facts.annee_creation))
    if facts.date_creation is not None:
        yield Literal("annee", str(facts.date_creation.year))
    for kind, day in days(facts).items():
        yield from _day_literals(kind, day)
    for kind, month in months(facts).items():
        yield Literal(kind, f"{MONTHS[month.month - 1]} {month.year}")
    for kind, year in (
        ("fin_effectif", facts.annee_effectifs),
        ("fin_effectif_unite", unit_band_year(facts)),
    ):
        if year is not None:
            yield Literal(kind, f"31 decembre {year}")


def days(facts: Facts) -> dict[str, dt.date]:
    """Return the days that a text may tell, by the kind of their wordings."""
    context = facts.context
    found = {
        "date": facts.date_creation,
        "date_unite": facts.unite_date_creation,
        "jour_activite": next((one.until for one in context.former_activites), None),
        "jour_enseigne": next((one.until for one in context.former_enseignes), None),
        "veille_activite": next((one.until - _DAY for one in context.former_activites), None),
        "veille_enseigne": next((one.until - _DAY for one in context.former_enseignes), None),
        "jour_avant": next((one.day for one in context.predecessors), None),
        "jour_apres": next((one.day for one in context.successors), None),
    }
    return {kind: day for kind, day in found.items() if day is not None}


def has_one_year(facts: Facts) -> bool:
    """Return whether establishment and unit were created in the same year, or both unknown when."""
    return facts.unite_annee_creation == facts.annee_creation


def has_two_names(facts: Facts) -> bool:
    """Return whether the register has another name for the company."""
    denomination = facts.denomination
    return denomination is not None and _letters(denomination) != _letters(facts.nom)


def _letters(name: str) -> str:
    return re.sub(r"\W", "", fold(name))


def tells_unit_band(facts: Facts) -> bool:
    """Return False where only the headcount of the siège is known: it serves the name of both."""
    own = facts.unite_tranche_effectifs is not None or facts.unite_effectif is not None
    return own or has_two_names(facts) or not facts.est_siege


def unit_band_year(facts: Facts) -> int | None:
    return facts.unite_annee_effectifs if tells_unit_band(facts) else facts.annee_effectifs


def months(facts: Facts) -> dict[str, dt.date]:
    context = facts.context
    found = {
        "mois_metier": None if context.trade is None else context.trade.month,
        "mois_sites": None if context.sites is None else context.sites.month,
    }
    return {kind: month for kind, month in found.items() if month is not None}


def _day_literals(kind: str, day: dt.date) -> Iterator[Literal]:
    month = MONTHS[day.month - 1]
    for number in dict.fromkeys((str(day.day), "1er" if day.day == 1 else str(day.day))):
        yield Literal(kind, f"{number} {month} {day.year}")
    yield Literal(kind, f"{month} {day.year}")
    yield Literal(kind, f"{day:%d/%m/%Y}")
    yield Literal(kind, day.isoformat())


def place_literals(facts: Facts, commune: str | None) -> Iterator[Literal]:
    """Yield street, postcode and what stands in brackets after the commune's name."""
    yield from _streets("voie", facts.voie)
    if facts.code_postal:
        yield Literal("code_postal", facts.code_postal)
    precision = re.search(r"\((.+)\)", commune or "")
    if precision is not None:
        yield Literal("precision", fold(precision.group(1)))


def _streets(kind: str, voie: str | None) -> Iterator[Literal]:
    """Yield the street as it is, with a comma after its number, and without its number."""
    street = fold(clean_name(voie or ""))
    number = _NUMBER.match(street)
    if number is not None:
        bare = street[number.end() :]
        digits = number.group().rstrip(", ")
        for joint in (", ", " de la ", " de l'", " du "):
            yield Literal(kind, f"{digits}{joint}{bare}")
        yield Literal(f"{kind}_sans_numero", bare, capitalised=True)
    if street:
        yield Literal(kind, street)
    zone, space, name = street.partition(" ")
    for wording in _ZONES.get(zone, ()):
        yield Literal(kind, f"{wording}{space}{name}", capitalised=True)


_NUMBER = re.compile(r"\d+(?: ?[a-z]\b| (?:bis|ter|quater)\b)?,? ")
_ZONES = {
    "za": ("zone d'activite", "zone d'activites", "zone artisanale", "zone"),
    "zi": ("zone industrielle", "zone"),
    "zac": ("zone d'amenagement concerte", "zone"),
}
"""The words for the abbreviations with which a street begins."""


def former_literals(facts: Facts) -> Iterator[Literal]:
    """Yield the newest of each kind, and the place that the unit left."""
    context = facts.context
    for former in context.former_activites[:1]:
        for label in dict.fromkeys((readable_activite(clean_name(former.value)), former.value)):
            yield Literal(FORMER_ACTIVITY, fold(label))
    for former in context.former_enseignes[:1]:
        for wording in wordings(former.value, facts):
            yield Literal("ancienne_enseigne", fold(wording), capitalised=wording.isalpha())
    for link in context.predecessors[:1]:
        if link.same_unit:
            yield from _left_literals(facts, link)


def _left_literals(facts: Facts, link: Succession) -> Iterator[Literal]:
    yield from _streets("voie_avant", link.voie)
    digits = link.siret
    groups = (digits[:3], digits[3:6], digits[6:9], digits[9:])
    for wording in (digits, " ".join(groups), f"{digits[:9]} {digits[9:]}"):
        yield Literal("siret_avant", wording)
    commune = nom_de_commune(replace(facts, commune=link.commune, code_commune=None))
    for name in dict.fromkeys((commune, clean_name(link.commune or ""))):
        yield from _town_left(name or "")


def _town_left(name: str) -> Iterator[Literal]:
    if not name:
        return
    wordings = [name, name.partition(" (")[0]]
    # « Marseille (1er arrondissement) », as texts write it, and the town alone.
    if (arrondissement := split_arrondissement(name)) is not None:
        wordings += [lieu(name).nom, arrondissement[0]]
    for article, contractions in (("Le ", ("au ", "du ")), ("Les ", ("aux ", "des "))):
        if name.startswith(article):
            wordings += [contraction + name.removeprefix(article) for contraction in contractions]
    for wording in dict.fromkeys(wordings):
        yield Literal("commune_avant", fold(wording), capitalised=True, hyphens_join=True)


def years(facts: Facts) -> Iterator[tuple[str, int]]:
    """Yield what a year is the year of, with the year."""
    if facts.annee_creation is not None:
        yield "annee", facts.annee_creation
    if facts.unite_annee_creation is not None:
        yield "annee_unite", facts.unite_annee_creation
    for name, day in days(facts).items():
        yield _YEARS[name], day.year
    for name, year in (
        ("an_effectif", facts.annee_effectifs),
        ("an_effectif_unite", unit_band_year(facts)),
        ("an_categorie", facts.annee_categorie_entreprise),
    ):
        if year is not None:
            yield name, year


def counts(facts: Facts) -> Iterator[tuple[str, int]]:
    """Yield what a number counts, with the number."""
    trade, sites = facts.context.trade, facts.context.sites
    if trade is not None:
        yield "n_metier", trade.etablissements
        yield "n_autres_metier", trade.etablissements - 1
        yield "n_employeurs", trade.with_employees
        yield "n_sans", trade.etablissements - trade.with_employees
    if sites is not None:
        yield "n_ouverts", sites.open
        yield "n_autres", sites.open - 1
        yield "n_fermes", sites.closed
        yield "n_communes", sites.communes
        yield "n_autres_communes", sites.communes - 1
