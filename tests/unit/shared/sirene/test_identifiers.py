import pytest

from shared.sirene.identifiers import has_valid_check_digit, is_siren, is_siret, siren_of


@pytest.mark.parametrize("number", ["552032534", "55203253400646", "120001011", "12000101100010"])
def test_recorded_numbers_have_a_valid_check_digit(number: str) -> None:
    assert has_valid_check_digit(number)


def test_establishments_of_la_poste_follow_the_plain_sum() -> None:
    assert has_valid_check_digit("35600000000048")
    assert has_valid_check_digit("35600000049837")
    assert not has_valid_check_digit("35600000049838")


def test_a_changed_digit_is_found() -> None:
    assert not has_valid_check_digit("552032535")


@pytest.mark.parametrize("text", ["", "12345678", "1234567890", "12345678a", "１２３４５６７８９"])
def test_a_siren_is_nine_ascii_digits(text: str) -> None:
    assert not is_siren(text)
    assert is_siren("123456789")


def test_a_siret_begins_with_its_siren() -> None:
    assert is_siret("55203253400646")
    assert not is_siret("5520325340064")
    assert siren_of("55203253400646") == "552032534"
