"""A model gets facts without names, and remedies against its earlier texts."""

import json

from services.reviewer.notices.slots import fill, slots_of
from services.reviewer.providers.prompt import facts_json, read_prompt, reproaches
from services.reviewer.validation import RULES, validate
from tests.unit.reviewer.conftest import FactsLike

_GOOD = (
    "GARAGE DU PORT est une société à responsabilité limitée dont le siège se trouve à Vannes. "
    "Il a pour activité principale l’entretien et la réparation de véhicules automobiles légers."
)


def _told(facts_like: FactsLike, *reasons: str) -> str:
    [_, user] = read_prompt().messages(facts_like(), json_wanted=False, reasons=reasons)
    return user["content"]


def test_every_code_of_the_validator_has_a_remedy_in_french(facts_like: FactsLike) -> None:
    without = _told(facts_like)
    assert [code for code in RULES if _told(facts_like, code) == without] == []
    assert not any(code in _told(facts_like, code) for code in RULES if "_" in code)


def test_a_remedy_is_told_once_and_an_outage_is_not_told(facts_like: FactsLike) -> None:
    assert _told(facts_like, "age_told", "age_told").count("Un âge était dit") == 1
    assert _told(facts_like, "unavailable") == _told(facts_like)


def test_the_model_s_own_ungrounded_words_are_quoted_and_no_name(facts_like: FactsLike) -> None:
    text = f"{_GOOD} GARAGE DU PORT recrute à Vannes des mécaniciens charmants."
    facts = facts_like()
    verdict = validate(text, facts)
    assert validate(_GOOD, facts).own_words == ()
    assert verdict.own_words == ("recrute", "mécaniciens", "charmants")
    told = _told(facts_like, *reproaches(verdict.reasons, verdict.own_words))
    assert "« recrute », « mécaniciens », « charmants »" in told


def test_a_fact_and_its_slot_have_one_name(facts_like: FactsLike) -> None:
    facts = facts_like(enseigne="CHEZ ANA", denomination="ANA INVEST")
    told = {name.upper() for name in json.loads(facts_json(facts))} - {"SIEGE"}
    assert told == set(slots_of(facts))
    assert fill("inscrit en {ANNEE}", facts) == "inscrit en 2011"
