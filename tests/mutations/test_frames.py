"""Known facts in frames that no rule was written for, and the siège where there is none."""

import dataclasses
import functools
import re
from pathlib import Path

import pytest

from services.reviewer.validation import validate
from services.reviewer.validation.checked_text import CheckedText
from shared.sirene.facts import Facts
from tests.mutations.independent import OWN, RICH, STRANGERS, rows


def _lines(name: str) -> list[tuple[str, str]]:
    lines = (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    parts = (line.partition("|") for line in lines if not line.startswith("#"))
    return [(row, text) for row, _, text in parts]


_MOVES_ITS_SIEGE = frozenset({f"{RICH}.rich.020.g1"})
"""A transfer of the siège is a fact of its own."""


@functools.cache
def _facts() -> dict[str, Facts]:
    """Return the facts of three banks by bank and number: `strangers_7.u1.01`."""
    found: dict[str, Facts] = {}
    for bank in ("strangers_7", "strangers_8", "strangers_rich_2"):
        for row in rows(bank):
            number = re.search(r"u[13]\.\d+|rich2\.\d+", row.id)
            assert number is not None
            found.setdefault(f"{bank}.{number.group()}", row.facts)
    return found


def test_known_facts_in_other_frames_are_understood() -> None:
    facts, told = _facts(), _lines("frames")
    assert [text for row, text in told if not validate(text, facts[row]).accepted] == []


def _says_what_is(text: str, facts: Facts) -> bool:
    sentences = CheckedText.of(text, facts).sentences
    return all(one.understood and not one.disagrees and not one.undated for one in sentences)


def test_statements_in_other_words_are_understood() -> None:
    facts, told = _facts(), _lines("paraphrases")
    assert [text for row, text in told if not _says_what_is(text, facts[row])] == []


def test_their_false_twins_are_not() -> None:
    facts, told = _facts(), _lines("false_paraphrases")
    assert [text for row, text in told if _says_what_is(text, facts[row])] == []


@pytest.mark.parametrize(("row", "text"), _lines("false_pieces"))
def test_no_piece_slips_to_another_owner_date_or_deed(row: str, text: str) -> None:
    assert not _says_what_is(text, _facts()[row])


@pytest.mark.parametrize("bank", [*STRANGERS, RICH, OWN])
def test_no_text_that_names_the_siege_is_right_of_another_place(bank: str) -> None:
    told = [row for row in rows(bank) if row.is_good and "siège" in row.text]
    right = [row for row in told if validate(row.text, row.facts).accepted]
    assert right
    assert [row.id for row in right if _is_right_elsewhere(row.text, row.facts)] == [
        row.id for row in right if row.id in _MOVES_ITS_SIEGE
    ]


def _is_right_elsewhere(text: str, facts: Facts) -> bool:
    other = dataclasses.replace(facts, est_siege=not facts.est_siege)
    return validate(text, other).accepted
