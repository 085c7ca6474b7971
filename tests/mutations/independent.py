"""The banks of independent authors, and how the validator scores on them."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.reviewer.commands.check import facts_from
from services.reviewer.validation import validate
from shared.sirene.facts import Facts, as_told

_HERE = Path(__file__).parent

STRANGERS = (
    "strangers", "strangers_2", "strangers_3", "strangers_4", "strangers_5", "strangers_6",
    "strangers_7", "strangers_8", "strangers_9", "strangers_rich_2",
)  # fmt: skip
"""The banks whose authors had seen no rule and gave no codes."""

RICH = "strangers_rich"
"""A bank of notices with street, unit, sites, trade and history."""

_YEAR_OF_PLACE = frozenset({"strangers_7"})
"""Banks whose `annee` is the establishment's alone where it is not the siège."""

TODAY = dt.date(2025, 12, 31)
"""The last day on which all headcounts of the rich banks may be told."""

OWN = "handwritten_prose"
"""Prose of this project, simple and rich, in the words of judges and models; each false text stands
beside a good one."""

REFUSED_ON_PURPOSE = {
    # An age grows old: editorial rule 6 refuses what this bank's author let pass.
    "bank_dev.good.gaec.2": "age_told",
    "bank_dev.good.optic.2": "age_told",
    "bank_dev.good.pf.2": "age_told",
    "bank_dev.good.plomb.4": "age_told",
    # The form is the company's, the year that of the establishment.
    "strangers_2.one.good.sivu.2": "ungrounded_terms",
    "strangers_2.one.good.proxi.2": "ungrounded_terms",
    # The year is told of the siège, and of an activity: it is that of the establishment.
    "strangers_3.two.good.bateau.3": "ungrounded_terms",
    "strangers_3.two.good.marche.1": "ungrounded_terms",
    # They tell a SIRET's date as that since which the shop exists.
    "bank_dev.good.fleurs.2": "existence_claim",
    "strangers.s.good.022": "existence_claim",
    "strangers.s.good.057": "existence_claim",
    "strangers_7.good.u1.07.3": "existence_claim",
    "strangers_8.good.u3.16.2": "existence_claim",
    "strangers_8.good.u3.20.2": "existence_claim",
    "strangers_8.good.u3.28.2": "existence_claim",
    "strangers_8.good.u3.30.2": "existence_claim",
    "strangers_9.n9-004": "existence_claim",
    "strangers_9.n9-026": "existence_claim",
    "strangers_9.n9-038": "existence_claim",
    "strangers_9.n9-040": "existence_claim",
    "strangers_9.n9-046": "existence_claim",
    "strangers_9.n9-048": "existence_claim",
    "strangers_9.n9-068": "existence_claim",
    "strangers_9.n9-076": "existence_claim",
    "strangers_9.n9-092": "existence_claim",
    # They tell no name.
    "strangers_8.good.u3.03.2": "name_missing",
    "strangers_8.good.u3.15.3": "name_missing",
    # They tell how many establishments are open, and no month.
    "strangers_8.good.u3.17.2": "undated_fact",
    "strangers_8.good.u3.18.2": "undated_fact",
    "strangers_8.good.u3.19.2": "undated_fact",
    "strangers_8.good.u3.22.2": "undated_fact",
    "strangers_8.good.u3.23.1": "undated_fact",
    "strangers_8.good.u3.24.1": "undated_fact",
    "strangers_8.good.u3.25.2": "undated_fact",
    "strangers_8.good.u3.27.2": "undated_fact",
    "strangers_8.good.u3.29.2": "undated_fact",
    # They tell the headcount of the shop behind an enseigne as that of the company.
    "strangers_5.good.06.4": "ungrounded_terms",
    "strangers_5.good.10.2": "ungrounded_terms",
    "strangers_5.good.19.1": "ungrounded_terms",
    "strangers_5.good.19.3": "ungrounded_terms",
    "strangers_8.good.u3.17.1": "ungrounded_terms",
    # They tell the headcount of an establishment that is not the siège as that of the company.
    "strangers_2.one.good.biscuit.1": "ungrounded_terms",
    "strangers_2.one.good.solaire.1": "ungrounded_terms",
    "strangers_2.one.good.solaire.3": "ungrounded_terms",
    "strangers_2.one.good.frigo.1": "ungrounded_terms",
    "strangers_4.good.03.1": "ungrounded_terms",
    "strangers_5.good.18.4": "ungrounded_terms",
    # Nobody knows since when a company has its form.
    "strangers_3.two.good.moulin.3": "ungrounded_terms",
    # A sign that is a common noun (« la mairie ») names nothing.
    f"{RICH}.rich.014.g1": "name_missing",
    f"{RICH}.rich.014.g2": "name_missing",
    # Counts change: each is told with its month, once in a text at least.
    f"{RICH}.rich.020.g3": "undated_fact",
    f"{RICH}.rich.027.g2": "undated_fact",
    f"{RICH}.rich.031.g1": "undated_fact",
    # The SIRET of another company's establishment may be a person's.
    f"{RICH}.rich.022.g1": "ungrounded_number",
}
"""Texts that their author called good, with the code by which the editorial rules refuse them."""


@dataclass(frozen=True, slots=True)
class Row:
    """`codes` are those any one of which is right; a bank with its own words has none."""

    id: str
    text: str
    facts: Facts
    is_good: bool
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares: of faulty texts that are refused, by a right code, and of good texts refused."""

    recall: float
    right_code: float
    false_rejects: float


def rows(bank: str) -> Iterator[Row]:
    lines = (_HERE / f"{bank}.jsonl").read_text(encoding="utf-8").strip().split("\n")
    for value in map(json.loads, lines):
        name = f"{bank}.{value['id']}"
        good = value["acceptable"] and name not in REFUSED_ON_PURPOSE
        codes = frozenset(value["reasons"]) if bank.startswith("bank") else frozenset()
        is_rich = "unite" in value["facts"]
        told = _rich(value["facts"]) if is_rich else value["facts"]
        # The register's facts have a SIRET. Without one nobody knows which place is the siège.
        if told.get("est_siege") is not None:
            told.setdefault("siret", "30010007000014")
        callers = facts_from(told)
        if told.get("annee") and bank not in _YEAR_OF_PLACE:
            callers = replace(callers, annee=int(told["annee"]))
        facts: Facts = as_told(callers, TODAY) if is_rich else callers
        yield Row(name, value["text"], facts, good, codes)


_OF_UNIT = {
    "date_creation": "unite_date_creation",
    "effectif": "unite_effectif",
    "annee_effectifs": "unite_annee_effectifs",
}
_OF_CONTEXT = ("trade", "sites", "former_activites", "former_enseignes", "predecessors")


def _rich(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts as the register gives them: the name over the door first."""
    flat = {name: value for name, value in told.items() if name not in {"unite", *_OF_CONTEXT}}
    flat |= {_OF_UNIT.get(name, name): value for name, value in told["unite"].items()}
    flat["annee_creation"] = int(told["date_creation"][:4])
    # A label of the bank has the œ of another encoding.
    flat["activite"] = told["activite"].replace("\x9c", "œ")
    if "enseigne" in told:
        flat |= {"nom": told["enseigne"], "denomination": told["nom"]}
    context = {name: told[name] for name in _OF_CONTEXT if name in told}
    for link in context.get("predecessors", ()):
        link.setdefault("continuite_economique", False)
    # The bank has the last day, the register that of the change.
    for former in (*context.get("former_activites", ()), *context.get("former_enseignes", ())):
        former["until"] = dt.date.fromisoformat(former["until"]) + dt.timedelta(days=1)
    return flat | {"context": context}


def scores(bank: str) -> Scores:
    verdicts = [(row, set(validate(row.text, row.facts).reasons)) for row in rows(bank)]
    faulty = [(row, reasons) for row, reasons in verdicts if not row.is_good]
    coded = [(row, reasons) for row, reasons in faulty if row.codes]
    good = [reasons for row, reasons in verdicts if row.is_good]
    return Scores(
        recall=sum(1 for _, reasons in faulty if reasons) / len(faulty),
        right_code=_share(sum(1 for row, found in coded if found & row.codes), len(coded)),
        false_rejects=_share(sum(map(bool, good)), len(good)),
    )


def _share(part: int, whole: int) -> float:
    """Return the share; of nothing, all is right and none is wrong."""
    return part / whole if whole else float("nan")
