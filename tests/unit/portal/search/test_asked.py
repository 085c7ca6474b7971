import pytest

from services.portal.search.asked import Asked


def _bare(q: str) -> list[str] | None:
    bare = Asked.of(q).bare()
    return None if bare is None else [word.text for word in bare.words]


@pytest.mark.parametrize(
    ("q", "words"),
    [
        ("c'est quoi l'adresse de l'embuscade à saint joseph", ["embuscade", "saint", "joseph"]),
        ("je cherche le gîte de madame magna à brest", ["gite", "magna", "brest"]),
        ("Où se trouve la boulangerie Dupont ?", ["boulangerie", "dupont"]),
        ("garage larcey allée du lac", ["garage", "larcey"]),
        ("garage larcey rue des tilleuls Bordeaux", ["garage", "larcey", "bordeaux"]),
        # A street that is named after a city says nothing of where it is.
        ("garage larcey rue de Paris", ["garage", "larcey"]),
        ("je cherche garage larcey 12 rue des tilleuls", ["garage", "larcey", "12"]),
    ],
)
def test_what_is_said_around_a_name_is_left_out(q: str, words: list[str]) -> None:
    assert _bare(q) == words


@pytest.mark.parametrize(
    "q",
    [
        "l'adresse bordeaux",
        "je cherche",
        "rue bordeaux",
        "boulangerie dupont bordeaux",
        "place du marché",
        "",
    ],
)
def test_a_name_of_such_words_is_left_as_it_is(q: str) -> None:
    assert _bare(q) is None


def test_words_of_names_alone_stay() -> None:
    bare = Asked.of("je cherche garage larcey", "Moulin").bare()
    assert bare is not None
    assert [word.text for word in bare.words if word.in_names] == ["moulin"]
