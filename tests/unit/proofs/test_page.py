"""A proof's page shows every word as a word."""

import re

from services.simulator.generation.vocabulary import STRANGE_NAMES
from shared.controls import without_steering
from tests.proofs.page import Proof, render
from tests.proofs.promises import Promise
from tests.unit.proofs.runs import steady_run


def test_no_word_is_markup_or_a_control() -> None:
    words = "|".join(STRANGE_NAMES)
    promise = Promise(words, words, words, kept=False)
    page = render(Proof(words, words, {}, steady_run(seconds=2), [promise], {}))
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?i)<(script|b|img|/system)\b|<[^>]+ onmouseover", page)
    assert without_steering(page) == page
