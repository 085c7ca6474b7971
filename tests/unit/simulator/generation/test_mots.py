"""The long tail of names: how many words there are, how often the common ones come, whose they are.

A register of few words would flatter every search: nothing in it could be mistaken.
"""

from collections import Counter

import pytest

from services.simulator.generation import mots, vocabulary
from services.simulator.generation.dice import Dice
from services.simulator.options import SimulatorOptions
from services.simulator.register.registers import GeneratedRegister
from shared.sirene.names.lexicon import chosen

DRAWS = 100_000


@pytest.fixture(scope="module")
def drawn() -> Counter[str]:
    return Counter(mots.draw(Dice(1, "nom", number)) for number in range(DRAWS))


def test_among_100_000_names_tens_of_thousands_are_distinct(drawn: Counter[str]) -> None:
    assert 35_000 < len(drawn) < 65_000
    met_once = sum(number == 1 for number in drawn.values())
    assert met_once > len(drawn) / 2


def test_no_name_is_everywhere(drawn: Counter[str]) -> None:
    [(first, top), *_] = drawn.most_common(1)
    assert first == "MARTIN"
    assert 0.005 < top / DRAWS < 0.02
    assert sum(number for _, number in drawn.most_common(100)) / DRAWS < 0.2


def test_the_common_surnames_are_as_common_as_among_people(drawn: Counter[str]) -> None:
    common = sum(drawn[name] for name in vocabulary.names("noms"))
    assert 0.1 < common / DRAWS < 0.25


def test_a_made_word_reads_like_one_and_is_nobodys_that_is_known_here(
    drawn: Counter[str],
) -> None:
    made = set(drawn).difference(vocabulary.names("noms"))
    assert all(word.isascii() and word.isalpha() and 5 <= len(word) <= 12 for word in made)
    assert not made.intersection(mots.real_words())
    known = {name for usage in ("noms", "prenoms") for name in chosen(usage)}
    assert len(made & known) / len(made) < 0.001


def test_a_register_has_the_tail_too() -> None:
    register = GeneratedRegister(SimulatorOptions(establishments=5000))
    whole = (register.whole("siren", number) for number in range(register.size("siren")))
    periods = [record["periodesUniteLegale"][0] for record in whole]
    surnames = [name for each in periods if (name := each["nomUniteLegale"])]
    assert len(set(surnames)) > len(surnames) / 2
