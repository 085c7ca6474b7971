"""The texts of the template: the same for the same facts, varied, as long as there is to tell."""

import dataclasses
import re

from services.reviewer.notices.template import generate
from shared.sirene.facts import Facts
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.notices.wordings import RICH, texts_of
from tests.unit.reviewer.samples import YEAR


def test_the_same_facts_seed_and_year_always_give_the_same_text(facts_like: FactsLike) -> None:
    assert generate(facts_like(), YEAR) == generate(facts_like(), YEAR)
    first = generate(facts_like(**RICH), YEAR, variant_seed="7")
    assert first == generate(facts_like(**RICH, siret="99999999900017"), YEAR, variant_seed="7")


def test_neighbours_of_one_trade_differ_in_matter(facts_like: FactsLike) -> None:
    texts = texts_of(facts_like(**RICH), 200)
    assert len(set(texts)) > 190
    told = {
        tuple(
            re.search(words, text) is not None
            for words in (r"2024", r"pour cette|de cette|ont cette", r"ouvert", r"1998", r"ETI")
        )
        for text in texts
    }
    assert len(told) > 5


def test_a_text_has_between_one_and_six_sentences(facts_like: FactsLike) -> None:
    for text in (
        *texts_of(facts_like(**RICH)),
        *texts_of(facts_like()),
        *texts_of(_poor(facts_like)),
    ):
        sentences = re.findall(r"\.(?= [A-ZÀÉÎ«]|$)", text)
        assert 1 <= len(sentences) <= 6, text
        assert len(text.split()) <= 130


def _poor(facts_like: FactsLike) -> Facts:
    return facts_like(voie=None, tranche_effectifs="NN", annee_effectifs=None)


def test_a_page_with_nothing_to_add_gets_one_short_line(facts_like: FactsLike) -> None:
    texts = texts_of(_poor(facts_like))
    assert (
        "Garage du Port, à Vannes (Morbihan) : entretien et réparation de véhicules automobiles "
        "légers, sous ce numéro depuis mars 2011."
    ) in texts
    assert max(len(text.split()) for text in texts) < 30


def test_one_fact_more_is_told_in_the_short_line(facts_like: FactsLike) -> None:
    address = facts_like(tranche_effectifs="NN", annee_effectifs=None)
    assert all("12 rue des Tilleuls" in text for text in texts_of(address))
    band = facts_like(voie=None)
    assert all("un ou deux salariés fin 2024" in text for text in texts_of(band))


def test_two_facts_more_make_a_text(facts_like: FactsLike) -> None:
    for text in texts_of(facts_like()):
        assert re.search(r"\. |, a pour activité", text), text
        assert "sous ce numéro depuis mars 2011" not in text


def test_a_text_says_how_it_was_made(facts_like: FactsLike) -> None:
    generated = generate(facts_like(), YEAR)
    assert generated.model == "template"
    assert generated.prompt_version == "template-5"
    assert generated.digital_source_type == "algorithmicMedia"


def test_changed_facts_change_nothing_but_themselves(facts_like: FactsLike) -> None:
    before = generate(facts_like(), YEAR).text
    after = generate(dataclasses.replace(facts_like(), nom="GARAGE DU LAC"), YEAR).text
    assert before.replace("Garage du Port", "Garage du Lac") == after
