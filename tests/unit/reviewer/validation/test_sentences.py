"""A sentence is understood only as statements of the facts of a garage, GARAGE DU PORT."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.reviewer.validation.checked_text import CheckedText
from services.reviewer.validation.sentences.grammar import Grammar
from services.reviewer.validation.sentences.places import places_of
from shared.sirene.facts import Facts

FactsLike = Callable[..., Facts]
_HERE = Path(__file__).parent


def _lines(name: str) -> list[str]:
    return (_HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _is_right(text: str, facts: Facts) -> bool:
    sentences = CheckedText.of(text, facts).sentences
    return all(one.understood and not one.disagrees for one in sentences)


@pytest.mark.parametrize("text", _lines("true_sentences"))
def test_statements_of_the_facts_are_understood(text: str, facts_like: FactsLike) -> None:
    assert _is_right(text, facts_like())


@pytest.mark.parametrize("text", _lines("false_sentences"))
def test_false_sentences_of_allowed_words_are_not(text: str, facts_like: FactsLike) -> None:
    assert not _is_right(text, facts_like())


def test_an_enseigne_is_not_the_company(facts_like: FactsLike) -> None:
    facts = facts_like(enseigne="GARAGE DU PORT", denomination="ANA INVEST")
    assert not _is_right("GARAGE DU PORT est une SARL.", facts)
    assert not _is_right("La SARL GARAGE DU PORT a été créée en 2011.", facts)
    assert _is_right("L’établissement GARAGE DU PORT est exploité par la SARL ANA INVEST.", facts)
    assert _is_right("ANA INVEST est une SARL.", facts)


def test_what_a_label_excepts_or_negates_is_no_activity(facts_like: FactsLike) -> None:
    waste = facts_like(activite="Collecte des déchets non dangereux")
    assert _is_right("Il assure la collecte des déchets non dangereux.", waste)
    assert not _is_right("Il assure la collecte des déchets dangereux.", waste)
    cereals = facts_like(activite="Culture de céréales (à l'exception du riz) et de légumineuses")
    assert _is_right("Il cultive des céréales et des légumineuses.", cereals)
    assert not _is_right("Il cultive du riz.", cereals)


def test_an_adjective_of_place_is_that_of_the_commune_or_its_region(facts_like: FactsLike) -> None:
    brest = places_of("Brest", "29")
    assert brest.place_of("brestoise") == "<communal>"
    assert brest.place_of("bretonne") == "<regional>"
    assert brest.place_of("marseillaise") is None
    assert places_of("Bourg", "33").place_of("bourgeoise") is None
    assert not _is_right("Cette société marseillaise est à Vannes.", facts_like())


def test_a_name_that_equals_its_activity_is_both(facts_like: FactsLike) -> None:
    facts = facts_like(nom="PÊCHE EN MER", activite="Pêche en mer")
    assert _is_right("PÊCHE EN MER exerce la pêche en mer à Vannes.", facts)


def test_a_headcount_is_denied_only_where_it_is_zero(facts_like: FactsLike) -> None:
    nobody = facts_like(tranche_effectifs="00", effectif="0 salarié")
    assert _is_right("Elle n’emploie aucun salarié.", nobody)
    assert not _is_right("Elle n’emploie aucun salarié.", facts_like())
    assert not _is_right(
        "Elle n’emploie aucun salarié.", facts_like(tranche_effectifs=None, effectif=None)
    )


def test_the_notation_of_a_grammar() -> None:
    grammar = Grammar(["START: [a] PLACE {b} | ?open c~", "PLACE: v/e,ent | d'e"])
    words = [frozenset({word}) for word in ("a", "vent", "b", "b")]
    assert grammar.readings("START", grammar.parse(words))
    assert grammar.readings("START", grammar.parse([frozenset({"d'"}), frozenset({"e"})]))
    assert not grammar.readings("START", grammar.parse([frozenset({"ces"})]))
    assert grammar.readings("START", grammar.parse([frozenset({"ces"})], frozenset({"open"})))
    assert not grammar.readings("START", grammar.parse(words[1:2] + words[:1]))


def test_a_noun_of_the_name_may_take_it_up(facts_like: FactsLike) -> None:
    college = facts_like(nom="COLLEGE JEAN MOULIN", tranche_effectifs="21")
    assert _is_right("Le collège est situé à Vannes.", college)
    assert not _is_right("Le collège est situé à Vannes.", facts_like())
    assert not _is_right("La SARL est un collège.", college)


def test_a_label_that_begins_with_a_verb_is_a_deed(facts_like: FactsLike) -> None:
    waste = facts_like(activite="Collecte des déchets non dangereux")
    assert _is_right("Il collecte des déchets non dangereux.", waste)


def test_an_article_agrees_with_the_participle_after_the_words_of_its_noun(
    facts_like: FactsLike,
) -> None:
    laundry = facts_like(activite="Blanchisserie-teinturerie de détail")
    assert not _is_right("La blanchisserie-teinturerie de détail est situé à Vannes.", laundry)
    assert _is_right("La blanchisserie-teinturerie de détail est située à Vannes.", laundry)


def test_a_shop_may_be_called_a_shop_only_where_it_sells_in_detail(facts_like: FactsLike) -> None:
    shop = facts_like(activite="Commerce de détail de livres en magasin spécialisé")
    assert _is_right("Le point de vente est situé à Vannes.", shop)
    assert not _is_right("Le point de vente est situé à Vannes.", facts_like())


def test_a_word_of_two_facts_has_two_readings() -> None:
    grammar = Grammar(["START: in (<year>|<number>)"], {"<year>": "year", "<number>": "number"})
    tokens = [frozenset({"in"}), frozenset({"<year>", "<number>"})]
    assert grammar.readings("START", grammar.parse(tokens)) == {
        frozenset({"year"}),
        frozenset({"number"}),
    }


def test_a_part_is_tried_where_the_sentence_has_what_it_needs() -> None:
    grammar = Grammar(["START: a (b|c|d) {e} far | a ?open near | a {b} [c] (far|near) off"])

    def covers(words: str, flags: frozenset[str] = frozenset()) -> bool:
        parse = grammar.parse([frozenset({word}) for word in words.split()], flags)
        return bool(grammar.readings("START", parse))

    assert covers("a b e e far")
    assert covers("a b c near off")
    assert covers("a near", frozenset({"open"}))
    assert not covers("a near")
    assert not covers("far a b")
    assert not covers("a b e near")


def test_a_rule_is_said_of_the_establishment_or_of_the_unit() -> None:
    grammar = Grammar(
        ["START: shop CREATED | firm CREATED*", "CREATED: in <year> PLACE | ?unite born <year>",
         "PLACE: here SINCE°", "SINCE: since <year>"],
        of_unit={"<year>": "<year of unit>"},
    )  # fmt: skip
    shop = [frozenset({"<year>"})]
    firm = [frozenset({"<year of unit>"})]

    def covers(words: str, *tail: frozenset[str]) -> bool:
        tokens = [frozenset({word}) for word in words.split()]
        return bool(grammar.readings("START", grammar.parse([*tokens, *tail])))

    here = [frozenset({"here"}), frozenset({"since"})]
    assert covers("shop in", *shop, *here, *shop)
    assert not covers("shop in", *firm, *here, *shop)
    assert covers("firm in", *firm, *here, *shop)
    assert not covers("firm in", *shop, *here, *shop)
    assert covers("firm born", *firm)
    assert not covers("shop born", *shop)
