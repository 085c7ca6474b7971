"""Good texts for faults, written by hand and by the template.

Both are split in two. A person may look at the even ones to tune rules; the odd ones are kept for
the report.
"""

import datetime as dt
import functools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.reviewer.commands.check import facts_from
from services.reviewer.french.data import formes_juridiques
from services.reviewer.notices.template import generate
from shared.sirene.context import Context, Sites, Trade
from shared.sirene.facts import Facts
from shared.sirene.reference import (
    communes,
    departement_of,
    libelle_activite,
    libelle_effectif,
)

_HERE = Path(__file__).parent
YEAR = 2026
_MONTH = dt.date(2026, 11, 1)

# Every section of NAF rev. 2 has at least one code here.
_ACTIVITES = (
    "01.11Z", "01.41Z", "02.20Z", "03.11Z", "05.10Z", "08.12Z", "10.71C", "13.20Z", "16.23Z",
    "18.12Z", "25.11Z", "28.93Z", "31.09B", "33.12Z", "35.11Z", "36.00Z", "38.32Z", "41.20A",
    "43.22A", "43.34Z", "45.20A", "46.34Z", "47.61Z", "47.76Z", "49.32Z", "49.41B", "53.20Z",
    "55.10Z", "56.10A", "56.30Z", "58.11Z", "62.01Z", "62.02A", "64.20Z", "66.22Z", "68.20B",
    "68.31Z", "69.10Z", "70.22Z", "71.11Z", "75.00Z", "77.11A", "81.21Z", "81.30Z", "84.11Z",
    "85.53Z", "85.59B", "86.21C", "86.90A", "87.10A", "88.91A", "90.01Z", "93.12Z", "94.99Z",
    "95.23Z", "96.02A", "96.03Z", "97.00Z", "99.00Z",
)  # fmt: skip
_FORMES = (
    "1000", "2110", "3120", "4110", "5202", "5410", "5498", "5499", "5510", "5599", "5710", "5720",
    "6220", "6317", "6533", "6540", "6595", "6597", "6598", "6599", "7210", "7312", "7389", "8210",
    "8420", "9110", "9150", "9220", "9300",
)  # fmt: skip
_TRANCHES = (None, "NN", "00", "01", "02", "03", "11", "12", "21", "22", "31", "42", "53")
_NOMS = (
    "ATELIER DU MOULIN", "MARTIN ET ASSOCIES", "LES JARDINS DE LEA", "SOCIETE NOUVELLE DES DOCKS",
    "AUX DELICES D'ANTAN", "GROUPE HORIZON", "L'EPICERIE DU COIN", "BATI PRO 35",
    "MAISON LEFEBVRE", "TECHNI-SERVICES", "O'SOLEIL", "CHEZ GEORGES", "LE MEILLEUR DU PAIN",
    "5 ÉTOILES", "1001 PIZZAS", "S.A.R.L. DUPONT", "SCI 12 RUE DE PARIS", "NANTES AUTO",
    "ETS BERNARD PERE ET FILS", "NOUVEL'R",
)  # fmt: skip
_VOIES = ("12 bis rue des Tilleuls", "rue de l’Église", "1 place de la République")
# Names with every kind of article and beginning.
_COMMUNES = (
    "72181", "85109", "17300", "95313", "49007", "56260", "76758", "83069", "67180", "75107",
    "13201", "69385", "43157", "94038", "97411", "2A004", "56121", "62826", "31555", "57672",
    "44184", "66136", "59350", "92012", "91228",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Base:
    text: str
    facts: Facts


@functools.cache
def handwritten(file_name: str = "handwritten.jsonl") -> tuple[Base, ...]:
    lines = map(json.loads, (_HERE / file_name).read_text(encoding="utf-8").splitlines())
    return tuple(Base(line["text"], facts_from(line["facts"])) for line in lines)


def facts_at(number: int) -> Facts:
    """Make facts; legal form, section and commune advance through their lists together."""
    chosen = random.Random(f"facts {number}")
    commune = _COMMUNES[(number // 2) % len(_COMMUNES)]
    tranche = chosen.choice(_TRANCHES)
    code = _ACTIVITES[(number // 2) % len(_ACTIVITES)]
    siren = f"{chosen.randrange(10**9):09d}"
    return Facts(
        siret=f"{siren}{chosen.randrange(10**5):05d}",
        siren=siren,
        nom=chosen.choice(_NOMS),
        categorie_juridique=_FORMES[(number // 2) % len(_FORMES)],
        forme=formes_juridiques()[_FORMES[(number // 2) % len(_FORMES)]].libelle,
        activite=libelle_activite(code, "NAFRev2"),
        commune=communes()[commune].nom.upper(),
        code_commune=commune,
        departement=departement_of(commune),
        annee_creation=chosen.choice((None, chosen.randrange(1930, 2026))),
        tranche_effectifs=tranche,
        effectif=libelle_effectif(tranche),
        est_siege=chosen.random() < 0.5,
        voie=chosen.choice((None, *_VOIES)),
        annee_effectifs=None if tranche in {None, "NN"} else YEAR - 2,
        unite_date_creation=chosen.choice((None, dt.date(chosen.randrange(1930, 2000), 5, 4))),
        context=_context(chosen),
    )


def _context(chosen: random.Random) -> Context:
    count = chosen.choice((1, 2, 5, 14, 63, 240))
    trade = Trade(etablissements=count, with_employees=count // 3, month=_MONTH)
    sites = Sites(open=chosen.choice((1, 2, 61)), closed=3, communes=1, month=_MONTH)
    return Context(
        trade=chosen.choice((None, trade, trade)), sites=chosen.choice((None, None, sites))
    )


def template_base(number: int) -> Base:
    facts = facts_at(number)
    return Base(generate(facts, YEAR).text, facts)


def retold(base: Base, changed: Facts) -> str | None:
    """Return the template's text of changed facts; None where it is true of the former, too."""
    text = generate(changed, YEAR).text
    return None if text == generate(base.facts, YEAR).text else text


def good_texts(half: int, count: int) -> Iterator[Base]:
    """Return the handwritten texts of that half, then template texts."""
    yield from handwritten()[half::2]
    yield from (template_base(2 * number + half) for number in range(count))
