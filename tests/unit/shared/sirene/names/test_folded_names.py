import random

from shared.sirene.names.folded_names import FoldedNames
from shared.sirene.names.lexicon import words_key
from shared.sirene.reference import noms_de_communes


def test_the_names_of_a_form_are_those_that_fold_to_it() -> None:
    names = FoldedNames(["Été", "ETE", "L'Été", "Étê"], words_key)
    assert list(names.of("ETE")) == ["ETE", "Été", "Étê"]
    assert list(names.of("L ETE")) == ["L'Été"]
    assert "ETE" in names
    assert "HIVER" not in names
    assert list(FoldedNames([], words_key).of("ETE")) == []


def test_names_of_other_forms_with_the_same_hash_are_told_apart() -> None:
    names = FoldedNames(["a", "b", "c"], _Clash)
    assert list(names.of(_Clash("b"))) == ["b"]
    assert _Clash("d") not in names


class _Clash(str):
    __slots__ = ()

    def __hash__(self) -> int:
        return 7

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other)


def test_every_commune_is_found() -> None:
    noms = sorted(noms_de_communes())
    names = FoldedNames(noms, words_key)
    for nom in random.Random(1).sample(noms, 2000):
        assert nom in names.of(words_key(nom))
