from shared.search.communes import find_commune
from shared.search.words import words_of


def codes(text: str) -> list[str]:
    found = find_commune(words_of(text))
    return [] if found is None else list(found.told)


def test_a_commune_is_found_among_the_words() -> None:
    assert codes("boulangerie dupont bordeaux") == ["33063"]
    assert codes("bordeaux boulangerie dupont") == ["33063"]
    assert codes("garage st etienne") == ["42218"]


def test_the_longest_name_wins() -> None:
    assert codes("pharmacie aix en provence") == ["13001"]
    assert codes("coiffure villers bretonneux") == ["80799"]


def test_a_city_stands_for_its_arrondissements() -> None:
    found = find_commune(words_of("fleuriste paris"))
    assert found is not None
    assert list(found.told) == ["75056"]
    assert "75112" in found.codes
    assert codes("fleuriste paris 12e") == ["75112"]
    assert codes("fleuriste lyon 3") == ["69383"]


def test_words_that_name_no_commune_name_none() -> None:
    assert find_commune(words_of("zzz qqq")) is None
    assert find_commune([]) is None
