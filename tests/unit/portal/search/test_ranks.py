import datetime as dt

from services.portal.search.asked import Asked
from services.portal.search.ranks import Candidate, ranked

DAY = dt.date(2020, 1, 1)


def candidate(
    id_: int,
    nom: str,
    commune: str = "Lyon",
    names: str | None = None,
    *,
    activite: str = "70.10Z",
    rank: int = 3,
) -> Candidate:
    return Candidate(id_, f"{id_:014}", nom, names, commune, "69001", activite, rank, DAY, None)


def order(q: str, *candidates: Candidate, nom: str = "") -> list[int]:
    asked = Asked.of(q, nom)
    for word in asked.words:
        word.documents = 10
    return [each.candidate.id for each in ranked(asked.words, candidates, 1000)]


def test_a_name_that_says_all_comes_before_one_that_says_more() -> None:
    assert order(
        "boulangerie dupont",
        candidate(1, "BOULANGERIE DUPONT ET FILS"),
        candidate(2, "BOULANGERIE DUPONT"),
    ) == [2, 1]


def test_the_name_of_the_page_comes_before_its_other_names() -> None:
    assert order("dupont", candidate(1, "AUTRE", names="DUPONT"), candidate(2, "DUPONT")) == [2, 1]


def test_the_place_counts_as_an_answer_unless_names_alone_were_asked_for() -> None:
    here, there = candidate(1, "DUPONT", "Lyon"), candidate(2, "DUPONT", "Nice")
    assert order("dupont nice", here, there) == [2, 1]
    street = candidate(3, "LECLERC"), candidate(4, "MARTIN", "Leclerc")
    assert order("", *street, nom="leclerc") == [3, 4]


def test_a_near_word_counts_less_and_is_told() -> None:
    asked = Asked.of("dupond")
    asked.words[0].near["dupont"] = (1.0, 10)
    [best, other] = ranked(asked.words, [candidate(1, "DUPONT"), candidate(2, "MARTIN")], 1000)
    assert best.corrected == {"dupond": "dupont"}
    assert best.score > other.score


def test_two_words_that_were_written_as_one_are_both_found() -> None:
    asked = Asked.of("petitmoulin")
    asked.words[0].near["petit moulin"] = (0.5, 3)
    [best, _] = ranked(asked.words, [candidate(1, "PETIT MOULIN"), candidate(2, "PETIT")], 1000)
    assert best.candidate.id == 1
    assert best.corrected == {"petitmoulin": "petit moulin"}


def test_a_name_with_a_trade_word_comes_before_a_large_one_of_the_activity() -> None:
    assert order(
        "coiffeur lyon",
        candidate(1, "CHEZ ZOE", activite="96.02A", rank=9),
        candidate(2, "COIFFEUR ZOE MARTIN", activite="96.02A", rank=2),
        candidate(3, "LYON", activite="70.10Z", rank=9),
    ) == [2, 1, 3]
