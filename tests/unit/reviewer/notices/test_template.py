"""The wording of a notice: true to its facts, varied, and in good French."""

import dataclasses
import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from itertools import product

import pytest

from services.reviewer.french.data import formes_juridiques
from services.reviewer.notices.template import generate
from services.reviewer.validation import validate
from shared.sirene.facts import Facts
from shared.sirene.reference import communes, libelles_d_activite
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.samples import ARTICLES, TRANCHES


def test_the_same_facts_always_give_the_same_text(facts_like: FactsLike) -> None:
    assert generate(facts_like()) == generate(facts_like())
    assert generate(facts_like(), variant_seed="7").text == generate(
        facts_like(siret="99999999900017"), variant_seed="7"
    ).text.replace("999\u00a0999\u00a0999\u00a000017", "123\u00a0456\u00a0789\u00a000012")


def test_neighbours_of_one_trade_do_not_read_the_same(facts_like: FactsLike) -> None:
    texts = {
        generate(facts_like(), variant_seed=str(number)).text.replace("\u00a0", " ")
        for number in range(200)
    }
    assert len(texts) > 190


def test_a_text_has_between_40_and_90_words_when_its_facts_are_usual(
    facts_like: FactsLike,
) -> None:
    for number in range(300):
        words = len(generate(facts_like(), variant_seed=str(number)).text.split())
        assert 40 <= words <= 90


def test_a_text_says_where_it_comes_from_and_that_no_model_wrote_it(facts_like: FactsLike) -> None:
    generated = generate(facts_like())
    assert generated.model == "template"
    assert generated.prompt_version == "template-4"
    assert generated.digital_source_type == "algorithmicMedia"


def test_only_known_facts_are_told(facts_like: FactsLike) -> None:
    bare = Facts(siret="", siren="", nom="GARAGE DU PORT")
    for number in range(20):
        text = generate(bare, variant_seed=str(number)).text
        assert "GARAGE DU PORT" in text
        assert not re.search(r"None|\d|salarié|activité|\{", text)
    assert "salarié" not in generate(facts_like(tranche_effectifs="NN")).text


def test_agreement_follows_the_gender_of_the_legal_form(facts_like: FactsLike) -> None:
    def texts(code: str) -> str:
        facts = facts_like(categorie_juridique=code)
        return "\n".join(generate(facts, variant_seed=str(seed)).text for seed in range(60))

    company, group = texts("5710"), texts("6533")
    assert "une société par actions simplifiée" in company
    assert "implantée à Vannes" in company
    assert "un groupement agricole" in group
    assert "implanté à Vannes" in group
    assert "un société" not in company
    assert "une groupement" not in group


def test_que_elides_before_a_legal_form(facts_like: FactsLike) -> None:
    facts = facts_like(categorie_juridique="9220")
    texts = "\n".join(generate(facts, variant_seed=str(seed)).text for seed in range(60))
    assert "en tant qu’association déclarée" in texts


@pytest.mark.parametrize(
    ("commune", "expected"),
    [("LE MANS", "au Mans"), ("LES HERBIERS", "aux Herbiers"), ("PARIS", "à Paris")],
)
def test_a_place_is_told_with_its_article(
    commune: str, expected: str, facts_like: FactsLike
) -> None:
    facts = facts_like(commune=commune, code_commune=None)
    assert re.search(rf"\b{expected}\b", generate(facts).text)


def test_changed_facts_change_nothing_but_themselves(facts_like: FactsLike) -> None:
    before = generate(facts_like()).text
    after = generate(dataclasses.replace(facts_like(), nom="AUTRE NOM")).text
    assert before.replace("GARAGE DU PORT", "AUTRE NOM") == after


_BAD_FRENCH = re.compile(
    r"(?i)\b(?:de|le|la|que|ne|se) (?=[aeéèêiouœ]\w)|\bà les? |\bde les? |  | [.,]"
    r"|\bd’(?![aeiouyhàâéèêîôœ])|\bune? une?\b|\b(\w+) \1\b|\{|\}"
)


def test_no_text_misses_an_elision_or_a_contraction(facts_like: FactsLike) -> None:
    chosen = random.Random(9)
    places = sorted(communes())
    activities = sorted(label for label in libelles_d_activite() if "..." not in label)
    forms = sorted(formes_juridiques())
    for number, activity in enumerate(activities):
        facts = facts_like(
            siret=f"{number:014d}",
            activite=activity,
            categorie_juridique=chosen.choice(forms),
            code_commune=chosen.choice(places),
            tranche_effectifs=chosen.choice(TRANCHES),
        )
        text = generate(facts).text
        assert _BAD_FRENCH.search(text) is None, text


def _walk(facts_like: FactsLike, tranches: Sequence[str | None]) -> Iterator[Facts]:
    for form, commune, tranche in product(sorted(formes_juridiques()), ARTICLES, tranches):
        seed = f"{form} {commune} {tranche}".encode()
        yield facts_like(
            siret=f"{int.from_bytes(hashlib.sha256(seed).digest()[:6]) % 10**14:014d}",
            categorie_juridique=form,
            commune=commune,
            code_commune=None,
            departement=None,
            tranche_effectifs=tranche,
            est_siege=seed[-1] % 2 == 0,
        )


def test_the_french_is_right_for_every_legal_form_in_every_kind_of_commune(
    facts_like: FactsLike,
) -> None:
    for facts in _walk(facts_like, ("01",)):
        text = generate(facts).text
        assert _BAD_FRENCH.search(text) is None, text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_legal_form_headcount_and_kind_of_commune_passes(facts_like: FactsLike) -> None:
    for facts in _walk(facts_like, TRANCHES):
        text = generate(facts).text
        assert _BAD_FRENCH.search(text) is None, text
        assert validate(text, facts).accepted, text


def test_an_establishment_that_was_just_named_is_not_named_again(facts_like: FactsLike) -> None:
    for number in range(300):
        text = generate(facts_like(), variant_seed=str(number)).text
        beginnings = re.findall(r"(?:^|(?<=\. ))(L’établissement|Il) ", text)
        assert re.search(r"\. L’établissement [^.]*\. L’établissement ", text) is None, text
        assert not beginnings or beginnings[0] != "Il"


def test_the_register_is_named_where_it_is_first_spoken_of(facts_like: FactsLike) -> None:
    for number in range(300):
        text = generate(facts_like(), variant_seed=str(number)).text
        assert re.match(r"(?:(?!répertoire\b).)*répertoire Sirene", text), text
