"""A disguised word or number is read as it is meant; plain figures stay plain."""

import pytest

from services.reviewer.french.disguises import (
    holds_address,
    holds_telephone,
    is_of_another_script,
    masks_a_word,
    undisguised,
)
from services.reviewer.french.folding import fold


@pytest.mark.parametrize(
    "said",
    [
        "06 12 34 56 78",
        "0 6 . 1 2 . 3 4 . 5 6 . 7 8",
        "06_12_34_56_78",
        "+33 (0)6 12 34 56 78",
        "zéro six, douze, 45 78 et 90",
        "06-douze-34-cinquante-six-78",
        "O6 l2 34 56 78",
        "0️⃣6️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣",
    ],
)
def test_a_telephone_number_is_found_in_figures_words_and_look_alikes(said: str) -> None:
    assert holds_telephone(fold(f"Appelez le {said} le soir."))


@pytest.mark.parametrize(
    "said",
    [
        "Livré le 12/03/2026 à 11h30, sans souci.",
        "80 € la nuit, 15 € le petit déjeuner, 20 € le parking.",
        "On a payé 80 000 puis 140 000 euros.",
        "Zéro défaut, six mois après.",
        "Ouvert de 9h à 12h et de 14h à 19h, 7 jours sur 7.",
    ],
)
def test_dates_prices_and_hours_are_no_telephone_number(said: str) -> None:
    assert not holds_telephone(fold(said))


@pytest.mark.parametrize(
    "said",
    [
        "jean @ exemple",
        "voir @jeanne",
        "jean (at) exemple",
        "jean arobase exemple",
        "exemple . fr/pages",
        "exemple point com",
        "exemple[.]net",
        "www exemple",
    ],
)
def test_an_address_is_found_however_it_is_written(said: str) -> None:
    assert holds_address(fold(said))


@pytest.mark.parametrize(
    "said", ["Très bien. Net et propre.", "Un bon point pour eux.", "Ok.Merci"]
)
def test_a_sentence_is_no_address(said: str) -> None:
    assert not holds_address(fold(said))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("enf0iré", "enfoire"),
        ("br4nl3urs", "branleurs"),
        ("$al0pe", "salope"),
        ("s@lope", "salope"),
        ("m€rde", "merde"),
        ("d3b1le", "debile"),
        ("f.d.p", "fdp"),
        ("c o n n a r d", "connard"),
        ("con-nard", "connard"),
        ("connnnnaaaard", "connard"),
    ],
)
def test_a_disguised_word_is_read_as_it_is_meant(said: str, meant: str) -> None:
    assert meant in set(undisguised(fold(said)))


def test_a_masked_word_is_told_from_a_list_of_points() -> None:
    assert all(map(masks_a_word, ["c*nnard", "con***", "m...e"]))
    assert not any(map(masks_a_word, ["accueil * prix * qualite", "bof... mais bon", "c'est..."]))


def test_another_script_is_found_inside_a_word() -> None:
    assert is_of_another_script("Les cοiffeuses")
    assert is_of_another_script("Отлично")
    assert not is_of_another_script("L’œuf n° 3, 20 m², déjà là 👍")
