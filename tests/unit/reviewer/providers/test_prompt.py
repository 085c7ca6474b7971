"""A model gets facts without names, and remedies against its earlier texts."""

import dataclasses
import json
import re

from services.reviewer.notices.slots import fill, slots_of
from services.reviewer.providers.answers import read_answer
from services.reviewer.providers.fact_sheet import facts_json
from services.reviewer.providers.prompt import read_prompt, reproaches
from services.reviewer.validation import RULES, validate
from services.reviewer.validation.checked_text import CheckedText
from services.reviewer.validation.sentences.declarations import FACTS_MISNAMED
from services.reviewer.validation.sentences.told import FACT_NAMES
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.validation.test_context import FACTS, VARIANTS

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


def test_misnamed_facts_have_a_remedy_too(facts_like: FactsLike) -> None:
    assert "sous « faits »" in _told(facts_like, FACTS_MISNAMED)


def test_the_example_of_the_prompt_is_a_good_answer(facts_like: FactsLike) -> None:
    [system, _] = read_prompt().messages(facts_like(), json_wanted=True, reasons=())
    [example] = [line for line in system["content"].splitlines() if line.startswith("{")]
    facts = facts_like(
        activite="Fabrication de vêtements", tranche_effectifs="02", annee_effectifs=2023
    )
    choice = {"message": {"content": example}, "finish_reason": "stop"}
    answer = read_answer(json.dumps({"choices": [choice]}).encode(), "json_object").filled(facts)
    assert answer.text is not None
    assert validate(answer.text, facts, answer.sentences).reasons == ()
    assert set().union(*(one.names for one in answer.sentences)) <= FACT_NAMES


def test_a_prompt_for_plain_text_has_no_example(facts_like: FactsLike) -> None:
    [system, _] = read_prompt().messages(facts_like(), json_wanted=False, reasons=())
    assert "phrases" not in system["content"].split("Réponds")[1]


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
    for facts in (facts_like(enseigne="CHEZ ANA", denomination="ANA INVEST"), FACTS):
        told = json.loads(facts_json(facts))
        assert {name.lower() for name in slots_of(facts)} <= set(told)
        for name, value in told.items():
            slots = re.findall(r"\{([A-Z_]+)\}", str(value))
            assert slots in ([], [name.upper()])
    assert fill("inscrit en {ANNEE}", facts_like()) == "inscrit en 2011"


def test_a_model_is_told_every_fact_by_the_validator_s_name() -> None:
    others = [
        dataclasses.replace(FACTS, nom="AUTRE", denomination="BRUMAIRE"),
        VARIANTS["remplace"],
    ]
    told = {name for facts in (FACTS, *others) for name in json.loads(facts_json(facts))}
    assert told == FACT_NAMES


def test_a_model_is_told_what_other_rows_say() -> None:
    told = json.loads(facts_json(FACTS))
    assert told["region"] == "Bretagne"
    assert told["effectif_unite"] == "entre 100 et 199\u00a0salariés, fin 2022"
    assert told["categorie"] == "entreprise de taille intermédiaire, en 2022"
    assert told["etablissements"] == (
        "3 établissements ouverts dans 2 communes, 5 sont fermés, en novembre 2026"
    )
    assert told["metier"] == (
        "14 établissements de cette activité dans la commune, dont 9 avec des salariés, "
        "en novembre 2026"
    )
    assert told["rang"] == "le deuxième plus ancien"
    assert told["ancienne_activite"] == "Programmation informatique, avant le 3 mai 2018"
    assert told["ancienne_enseigne"] == "{ANCIENNE_ENSEIGNE}, avant le 1er juin 2019"
    assert told["predecesseur"] == (
        "siège transféré le 28 novembre 2016, auparavant à {PREDECESSEUR}"
    )


def test_only_a_true_quality_is_told(facts_like: FactsLike) -> None:
    told = json.loads(facts_json(facts_like(employeur=False)))
    assert not {"employeur", "economie_sociale_solidaire", "societe_mission"} & set(told)
    one = dataclasses.replace(FACTS, context=VARIANTS["un_de_chaque"].context)
    assert json.loads(facts_json(one))["etablissements"] == (
        "un seul établissement ouvert, 1 est fermé, en novembre 2026"
    )
    alone = json.loads(facts_json(VARIANTS["seul"]))
    assert alone["metier"] == (
        "le seul établissement de cette activité dans la commune, en novembre 2026"
    )
    assert "rang" not in alone


def test_what_a_model_is_told_is_understood_when_it_is_said() -> None:
    text = (
        "Son adresse est {VOIE}, {CODE_POSTAL} {COMMUNE}. "
        "Le siège a été transféré à {COMMUNE} le 28 novembre 2016 ; il se trouvait auparavant à "
        "{PREDECESSEUR}. "
        "Avant le 1er juin 2019, son enseigne était {ANCIENNE_ENSEIGNE}. "
        "C’est le deuxième plus ancien des 14 établissements de cette activité dans la commune, "
        "en novembre 2026, dont 9 avec des salariés. "
        "La société compte 3 établissements ouverts dans 2 communes, 5 sont fermés, en "
        "novembre 2026."
    )
    sentences = CheckedText.of(fill(text, FACTS), FACTS).sentences
    assert [one for one in sentences if not one.understood] == []
