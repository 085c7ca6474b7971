"""Texts of situations that users of the register met: each is true on the day of its making."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.reviewer.notices.template import generate
from services.reviewer.validation import validate
from shared.sirene.facts import Facts
from shared.sirene.mapping.mapper import map_record
from shared.sirene.pages import facts_of, page_of

_FOLDER = Path(__file__).parents[3] / "fixtures" / "register"
TODAY = dt.date(2026, 11, 30)
SEEDS = [str(number) for number in range(40)]


def _records(name: str) -> list[dict[str, Any]]:
    lines = (_FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _facts(record: dict[str, Any], on: dt.date) -> Facts | None:
    """Return the facts of the open page on this day; None without one."""
    mapped = map_record(record, on=on)
    page = page_of(mapped.etablissement, mapped.unite)
    if page is None or page.status == "closed":
        return None
    return facts_of(mapped.etablissement, mapped.unite, page)


def _texts(facts: Facts) -> set[str]:
    texts = {generate(facts, 2026, variant_seed=seed).text for seed in SEEDS}
    assert all(validate(text, facts).accepted for text in texts)
    return {text.replace("\u00a0", " ") for text in texts}


def test_one_of_two_establishments_says_that_it_is_the_siege() -> None:
    says = {}
    for record in _records("siege_moved_after"):
        facts = _facts(record, TODAY)
        assert facts is not None
        told = replace(facts, voie="1 rue A", tranche_effectifs="01", annee_effectifs=2024)
        says[facts.siret] = all("siège" in text for text in _texts(told))
    assert says == {"93700040400010": False, "93700040400028": True}


def test_a_creation_ahead_is_told_from_its_day_on() -> None:
    created = _records("dates_to_come")[0]
    assert _facts(created, TODAY) is None
    assert _facts(created, dt.date(2027, 1, 14)) is None
    facts = _facts(created, dt.date(2027, 1, 15))
    assert facts is not None
    assert any("2027" in text for text in _texts(facts))


@pytest.mark.parametrize("siret", ["94000100100010", "94000110000010"])
def test_a_closing_or_an_activity_ahead_leaves_the_text_as_it_is(siret: str) -> None:
    (record,) = [each for each in _records("dates_to_come") if each["siret"] == siret]
    facts = _facts(record, TODAY)
    past = {
        **record,
        "periodesEtablissement": [{**record["periodesEtablissement"][1], "dateFin": None}],
    }
    assert facts is not None
    assert facts == _facts(past, TODAY)
    assert any("2015" in text for text in _texts(facts))


@pytest.mark.parametrize("absurd", ["0001-01-01", "7490-01-15"])
def test_an_impossible_year_is_in_no_text(absurd: str) -> None:
    record = _records("dates_to_come")[0]
    record["dateCreationEtablissement"] = absurd
    record["periodesEtablissement"][0]["dateDebut"] = absurd
    facts = _facts(record, TODAY)
    assert facts is not None
    assert facts.annee_creation is None
    assert not any("7490" in text or "depuis" in text for text in _texts(facts))
