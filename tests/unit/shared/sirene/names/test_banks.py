"""Banks of names with the form that a reader expects: one made with the rules, two without."""

import csv
import re
from pathlib import Path

import pytest

from shared.sirene.names.display import display_form
from tests.unit.shared.sirene.names.letters import letters

_BANKS = Path(__file__).parents[4] / "fixtures" / "names"
_NAMES = ["noms_1.csv", "noms_2.csv", "noms_3.csv", "noms_4.csv"]
_WORDS = re.compile(r"([^\W_]+)")
_CHANGED_SHARE = 0.80
_WORSE_SHARE = 0.01


def _bank(name: str) -> list[tuple[str, str]]:
    with (_BANKS / name).open(encoding="utf-8", newline="") as lines:
        return [(row["registered"], row["expected"]) for row in csv.DictReader(lines)]


def is_worse(registered: str, shown: str, expected: str) -> bool:
    """Return whether, beside each form that a reader accepts, something was changed for the worse.

    `expected` holds these forms, parted by `|`.
    """
    return all(_has_fault(registered, shown, form) for form in expected.split("|"))


def _has_fault(registered: str, shown: str, expected: str) -> bool:
    """Return whether a word, an accent or a sign was changed into something wrong.

    Capitals of ordinary words are taste (École élémentaire, École Élémentaire), and what stays as
    it is registered is never worse. A capital word that must stay, an accent too many or too few
    in a word put in small letters, and a wrong apostrophe or hyphen are faults.
    """
    old, new, right = (_WORDS.split(text) for text in (registered, shown, expected))
    if not len(old) == len(new) == len(right):
        return shown != registered
    for was, now, ought in zip(old, new, right, strict=True):
        if now in {was, ought}:
            continue
        if now.lower() != ought.lower() or (len(ought) > 1 and ought.isupper()):
            return True
    return False


@pytest.mark.parametrize("bank", _NAMES)
def test_most_names_are_put_in_french_case_and_hardly_any_is_made_worse(bank: str) -> None:
    names = _bank(bank)
    shown = [(was, display_form(was), ought) for was, ought in names]
    worse = [each for each in shown if is_worse(*each)]
    assert len(worse) < _WORSE_SHARE * len(names), worse
    # A name of acronyms alone has no other form.
    open_to_change = [(was, now) for was, now, ought in shown if was not in ought.split("|")]
    changed = [was for was, now in open_to_change if now != was]
    assert len(changed) >= _CHANGED_SHARE * len(names)


@pytest.mark.parametrize("bank", _NAMES)
def test_no_letter_is_added_or_lost(bank: str) -> None:
    for registered, _ in _bank(bank):
        assert letters(display_form(registered)) == letters(registered)


@pytest.mark.parametrize(
    ("registered", "shown", "expected", "worse"),
    [
        ("ECOLE ELEMENTAIRE", "École Élémentaire", "École élémentaire", False),
        ("ZARA", "ZARA", "Zara", False),
        ("LE MARCHE", "Le Marche", "Le Marché", True),
        ("SA DUPONT", "Sa Dupont", "SA Dupont", True),
        ("L EAU", "L Eau", "L'Eau", False),
        ("D UNE RIVE", "D'Une Rive", "D Une Rive", True),
    ],
)
def test_the_measure_knows_a_fault_from_taste(
    registered: str, shown: str, expected: str, *, worse: bool
) -> None:
    assert is_worse(registered, shown, expected) is worse
