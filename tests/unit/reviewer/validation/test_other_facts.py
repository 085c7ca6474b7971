"""A sentence that is true of some facts is refused where the fact that it tells is another."""

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping

import pytest

from shared.sirene.context import Former, Sites, Trade
from shared.sirene.facts import Facts
from tests.unit.reviewer.validation.test_context import FACTS, VARIANTS, _is_right, _lines, _with

_OCTOBER = dt.date(2026, 10, 1)
_NOVEMBER = dt.date(2026, 11, 1)
[_MOVE] = FACTS.context.predecessors


def _trade(month: dt.date = _NOVEMBER, **other: int) -> Facts:
    told = {"etablissements": 14, "with_employees": 9, "rank": 2} | other
    return _with(trade=Trade(month=month, **told))


def _sites(month: dt.date = _NOVEMBER, **other: int) -> Facts:
    return _with(sites=Sites(month=month, **({"open": 3, "closed": 5, "communes": 2} | other)))


def _of(**other: object) -> Facts:
    return dataclasses.replace(FACTS, **other)  # type: ignore[arg-type]


OTHERS: Mapping[str, tuple[str, Facts]] = {
    "trade": (r"\b(?:14|quatorze|13|treize)\b", _trade(etablissements=24)),
    "employers": (r"\b(?:9|neuf|5|cinq)\b.*(?:salari|employ)", _trade(with_employees=11)),
    "rank": (r"deuxième|second", _trade(rank=3)),
    "open sites": (r"\b(?:trois|3) (?:établi|adres|sites|ouv)|deux autres", _sites(open=7)),
    "closed sites": (r"\b(?:cinq|5)\b.*ferm|ferm.*\bcinq\b", _sites(closed=8)),
    "communes": (r"deux communes|une autre commune", _sites(communes=3)),
    "month of a trade": (r"(?:14|quatorze|neuf).*novembre 2026", _trade(_OCTOBER)),
    "month of sites": (r"ouverts.*novembre 2026", _sites(_OCTOBER)),
    "former activity": (
        r"rogrammation informatique",
        _with(
            former_activites=(
                Former(value="Édition de jeux électroniques", until=dt.date(2018, 5, 3)),
            )
        ),
    ),
    "day of an activity": (
        r"mai 2018",
        _with(
            former_activites=(
                Former(value="Programmation informatique", until=dt.date(2017, 2, 8)),
            )
        ),
    ),
    "former sign": (
        r"Clos [Vv]ert",
        _with(former_enseignes=(Former(value="LE PETIT PRE", until=dt.date(2019, 6, 1)),)),
    ),
    "day of a sign": (
        r"(?:mai|juin) 2019",
        _with(former_enseignes=(Former(value="LE CLOS VERT", until=dt.date(2015, 1, 9)),)),
    ),
    "town left": (r"Vannes", _with(predecessors=(dataclasses.replace(_MOVE, commune="LORIENT"),))),
    "street left": (
        r"Marché",
        _with(predecessors=(dataclasses.replace(_MOVE, voie="9 rue Basse"),)),
    ),
    "no move": (r"Vannes|transfér", _with(predecessors=())),
    "unit's year": (r"1998", _of(unite_date_creation=dt.date(1996, 1, 5))),
    "headcount": (r"50 (?:à|et) 99", _of(tranche_effectifs="12", effectif="20 à 49 salariés")),
    "year of a headcount": (r"2023", _of(annee_effectifs=2024)),
    "unit's headcount": (
        r"100 (?:à|et) 199",
        _of(unite_tranche_effectifs="31", unite_effectif="200 à 249 salariés"),
    ),
    "year of the unit's": (r"2022.*\b199\b|\b199\b.*2022", _of(unite_annee_effectifs=2024)),
    "category": (r"taille intermédiaire|ETI", _of(categorie_entreprise="PME")),
    "year of a category": (
        r"(?:taille inter|ETI).*2022|2022.*(?:taille inter|ETI)",
        _of(annee_categorie_entreprise=2021),
    ),
    "ESS": (r"sociale et solidaire", _of(economie_sociale_solidaire=False)),
    "mission": (r"mission", _of(societe_mission=False)),
    "siège": (r"siège", _of(est_siege=False)),
    "street": (r"Tilleuls", _of(voie="5 rue des Lilas")),
    "commune": (r"Rennes|rennais", _of(commune="BREST", code_commune="29019", departement="29")),
    "form": (r"SAS|simplifiée", _of(forme="Société civile", categorie_juridique="6599")),
}


@pytest.mark.parametrize("name", OTHERS)
def test_no_true_sentence_stays_right_with_another_fact(name: str) -> None:
    pattern, facts = OTHERS[name]
    told = [line for line in _lines("true_context") if re.search(pattern, line)]
    assert told
    assert [line for line in told if _is_right(line, facts)] == []


def test_no_sentence_of_one_company_is_right_of_another() -> None:
    other = VARIANTS["deux_noms"]
    told = [line for line in _lines("true_context") if "Ormelune Conseil" in line]
    assert [line for line in told if _is_right(line, other)] == []
