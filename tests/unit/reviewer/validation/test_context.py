"""Sentences on street, dated headcount, unit, trade and history, of an invented company."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from services.reviewer.validation import validate
from services.reviewer.validation.checked_text import CheckedText
from shared.sirene.context import Context, Former, Sites, Succession, Trade
from shared.sirene.facts import Facts

_HERE = Path(__file__).parent
_MONTH = dt.date(2026, 11, 1)
_MOVE = Succession(
    siret="80123456700011",
    day=dt.date(2016, 11, 28),
    same_unit=True,
    transfert_siege=True,
    continuite_economique=True,
    commune="VANNES",
    voie="3 place du Marché",
)
CONTEXT = Context(
    trade=Trade(etablissements=14, with_employees=9, month=_MONTH, rank=2),
    sites=Sites(open=3, closed=5, communes=2, month=_MONTH),
    former_activites=(Former(value="Programmation informatique", until=dt.date(2018, 5, 3)),),
    former_enseignes=(Former(value="LE CLOS VERT", until=dt.date(2019, 6, 1)),),
    predecessors=(_MOVE,),
)
FACTS = Facts(
    siret="80123456700029",
    siren="801234567",
    nom="ORMELUNE CONSEIL",
    forme="SAS, société par actions simplifiée",
    categorie_juridique="5710",
    activite="Conseil en systèmes et logiciels informatiques",
    commune="RENNES",
    code_commune="35238",
    departement="35",
    region="53",
    voie="12 rue des Tilleuls",
    code_postal="35000",
    annee_creation=2016,
    date_creation=dt.date(2016, 11, 28),
    tranche_effectifs="21",
    effectif="50 à 99 salariés",
    annee_effectifs=2023,
    est_siege=True,
    enseigne="ORMELUNE",
    unite_date_creation=dt.date(1998, 3, 2),
    unite_tranche_effectifs="22",
    unite_effectif="100 à 199 salariés",
    unite_annee_effectifs=2022,
    categorie_entreprise="ETI",
    annee_categorie_entreprise=2022,
    economie_sociale_solidaire=True,
    societe_mission=True,
    employeur=True,
    context=CONTEXT,
)


def _lines(name: str) -> list[str]:
    return (_HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _with(**context: Any) -> Facts:
    return dataclasses.replace(FACTS, context=dataclasses.replace(CONTEXT, **context))


def _is_right(text: str, facts: Facts = FACTS) -> bool:
    sentences = CheckedText.of(text, facts).sentences
    return all(one.understood and not one.undated and not one.disagrees for one in sentences)


@pytest.mark.parametrize("text", _lines("true_context"))
def test_statements_of_the_context_are_understood(text: str) -> None:
    assert _is_right(text)


VARIANTS = {
    "tout": FACTS,
    "nu": dataclasses.replace(
        FACTS,
        context=Context(),
        unite_tranche_effectifs=None,
        unite_effectif=None,
        unite_annee_effectifs=None,
        categorie_entreprise=None,
        annee_categorie_entreprise=None,
        economie_sociale_solidaire=False,
        societe_mission=False,
        employeur=None,
    ),
    "sans_rang": _with(trade=Trade(etablissements=14, with_employees=9, month=_MONTH)),
    "sans_effectif": dataclasses.replace(
        FACTS, tranche_effectifs=None, effectif=None, annee_effectifs=None
    ),
    "pme": dataclasses.replace(FACTS, categorie_entreprise="PME"),
    "autre": _with(
        predecessors=(
            dataclasses.replace(
                _MOVE, same_unit=False, transfert_siege=False, commune=None, voie=None
            ),
        )
    ),
    "deux_noms": dataclasses.replace(FACTS, nom="ORMELUNE", denomination="BRUMAIRE INVEST"),
    "seul": _with(trade=Trade(etablissements=1, with_employees=1, month=_MONTH, rank=1)),
    "un_de_chaque": _with(
        trade=Trade(etablissements=3, with_employees=1, month=_MONTH, rank=1),
        sites=Sites(open=1, closed=1, communes=1, month=_MONTH),
    ),
    "une_commune": _with(sites=Sites(open=3, closed=0, communes=1, month=_MONTH)),
    "ge": dataclasses.replace(FACTS, categorie_entreprise="GE"),
    "remplace": _with(
        successors=(dataclasses.replace(_MOVE, day=dt.date(2024, 1, 1), same_unit=False),)
    ),
    "du_mans": _with(predecessors=(dataclasses.replace(_MOVE, commune="LE MANS", voie=None),)),
    "signe": dataclasses.replace(FACTS, nom="ORMELUNE"),
    "sans_salarie": dataclasses.replace(FACTS, tranche_effectifs="00", effectif="0 salarié"),
    "un_ou_deux": dataclasses.replace(FACTS, tranche_effectifs="01", effectif="1 ou 2 salariés"),
    "dix_mille": dataclasses.replace(
        FACTS, tranche_effectifs="53", effectif="10 000 salariés et plus"
    ),
    "marseille": dataclasses.replace(
        FACTS, commune="MARSEILLE 1", code_commune="13201", departement="13", region="93"
    ),
    "paris": dataclasses.replace(
        FACTS, commune="PARIS 7", code_commune="75107", departement="75", region="11"
    ),
    "le_mans": dataclasses.replace(
        FACTS, commune="LE MANS", code_commune="72181", departement="72", region="52"
    ),
    "bors": dataclasses.replace(
        FACTS, commune="BORS", code_commune="16053", departement="16", region="75"
    ),
}
# The register has no headcount of the company of this establishment, nor its date.
VARIANTS["non_siege"] = dataclasses.replace(VARIANTS["nu"], est_siege=False)
VARIANTS["sans_date_unite"] = dataclasses.replace(VARIANTS["non_siege"], unite_date_creation=None)
VARIANTS["secondaire"] = dataclasses.replace(VARIANTS["deux_noms"], est_siege=False)


@pytest.mark.parametrize("line", _lines("false_context"))
def test_false_statements_of_the_context_are_refused_with_a_right_code(line: str) -> None:
    code, facts, text = line.split("|")
    assert code in validate(text, VARIANTS[facts]).reasons
    assert not _is_right(text, VARIANTS[facts])


@pytest.mark.parametrize("line", _lines("true_variants"))
def test_statements_of_other_facts_are_understood(line: str) -> None:
    facts, text = line.split("|")
    assert _is_right(text, VARIANTS[facts])
