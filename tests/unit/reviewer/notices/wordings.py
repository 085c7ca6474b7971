"""Facts with much to tell, and the texts that the template can make of facts."""

import datetime as dt

from services.reviewer.notices.template import generate
from shared.sirene.context import Context, Sites, Trade
from shared.sirene.facts import Facts
from tests.unit.reviewer.samples import YEAR

MONTH = dt.date(2026, 11, 1)
RICH = {
    "unite_date_creation": dt.date(1998, 5, 4),
    "unite_tranche_effectifs": "11",
    "unite_annee_effectifs": 2024,
    "categorie_entreprise": "ETI",
    "annee_categorie_entreprise": 2023,
    "context": Context(
        trade=Trade(etablissements=14, with_employees=9, month=MONTH),
        sites=Sites(open=3, closed=2, communes=2, month=MONTH),
    ),
}


def texts_of(facts: Facts, count: int = 60) -> list[str]:
    seeds = map(str, range(count))
    return [generate(facts, YEAR, variant_seed=seed).text.replace("\u00a0", " ") for seed in seeds]
