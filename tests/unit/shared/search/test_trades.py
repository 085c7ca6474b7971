import pytest

from shared.search.trades import find_trades, trade_words
from shared.search.words import words_of
from shared.sirene.reference import libelles_de


def codes(text: str) -> set[str]:
    return {code for trade in find_trades(words_of(text)) for code in trade.codes}


@pytest.mark.parametrize(
    "text", ["coiffeur", "Coiffeuses", "coiffure bordeaux", "salon de coiffure", "un coiffeur"]
)
def test_a_trade_has_many_words(text: str) -> None:
    assert codes(text) == {"96.02A", "96.21G", "96.21H"}


def test_a_trade_of_several_words_is_longer_than_one_of_them() -> None:
    assert codes("prothésiste dentaire") == {"32.50A", "32.50Y"}
    assert codes("chirurgien dentiste pessac") == {"86.23Z", "86.23Y"}
    assert codes("auto-écoles") == {"85.53Z", "85.53Y"}
    assert "86.22C" not in codes("médecin généraliste")


def test_two_trades_are_found() -> None:
    assert codes("bar tabac") == {"56.30Z", "56.30Y", "47.26Z", "47.26Y"}


def test_a_longer_name_of_a_commune_is_no_trade() -> None:
    assert codes("bar le duc") == set()
    assert codes("bar bar le duc") == {"56.30Z", "56.30Y"}
    assert "56.30Z" in codes("bordeaux bar")
    assert "86.10Z" in codes("l'hôpital bordeaux")


def test_other_words_are_no_trade() -> None:
    assert not codes("toubib dupont bordeaux")
    assert find_trades([]) == []


def test_every_code_is_of_a_nomenclature_of_today() -> None:
    known = {*libelles_de("NAFRev2"), *libelles_de("NAF2025")}
    named = {code for each in trade_words().values() for code in each}
    assert named <= known
    assert all(trade_words())
