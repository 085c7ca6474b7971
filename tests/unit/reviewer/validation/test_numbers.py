import pytest

from services.reviewer.french.folding import fold
from services.reviewer.validation import validate
from services.reviewer.validation.numbers import find_numbers
from shared.sirene.facts import Facts


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("un garage, une ville", []),
        ("vingt et un ans", [21]),
        ("dix-sept ans", [17]),
        ("quatre-vingts", [80]),
        ("quatre-vingt-dix-sept", [97]),
        ("soixante et onze", [71]),
        ("cent vingt", [120]),
        ("deux cents", [200]),
        ("mille neuf cent quatre-vingt-quatre", [1984]),
        ("deux mille onze", [2011]),
        ("une dizaine", [10]),
        ("10 000 salariés", [10000]),
        ("1\u202f999", [1999]),
        ("entre 3 et 5", [3, 5]),
        ("entre trois et cinq", [3, 5]),
        ("en 2004", [2004]),
        ("dixième", []),
        ("centre", []),
    ],
)
def test_numbers_are_read_in_digits_and_in_letters(text: str, values: list[int]) -> None:
    assert [number.value for number in find_numbers(fold(text))] == values


@pytest.mark.parametrize("text", ["7" * 5000, "777 " * 2000, "0" * 5000 + "5"])
def test_a_number_of_thousands_of_digits_is_as_no_fact(text: str) -> None:
    [number] = find_numbers(text)
    assert number.value > 10**18
    assert (
        "ungrounded_number"
        in validate(f"Un atelier de {text} salariés.", Facts(siret="", siren="", nom="X")).reasons
    )
