"""The validator on texts whose authors had seen no rule."""

import pytest

from services.reviewer.validation import validate
from tests.mutations.independent import OWN, REFUSED_ON_PURPOSE, RICH, STRANGERS, rows, scores


@pytest.mark.parametrize("bank", ["bank_dev", "bank_kinds_dev", *STRANGERS, RICH, OWN])
def test_false_texts_are_refused(bank: str) -> None:
    assert scores(bank).recall >= 0.98


def test_refusals_carry_a_right_code() -> None:
    assert scores("bank_dev").right_code >= 0.95


@pytest.mark.parametrize(
    ("bank", "most"),
    [
        ("bank_dev", 0.0),
        ("strangers", 0.05),
        ("strangers_2", 0.0),
        ("strangers_3", 0.1),
        ("strangers_4", 0.0),
        ("strangers_5", 0.0),
        ("strangers_6", 0.04),
        ("strangers_7", 0.02),
        ("strangers_8", 0.06),
        ("strangers_9", 0.37),
        ("strangers_rich_2", 0.16),
        (RICH, 0.07),
        (OWN, 0.0),
    ],
)
def test_good_texts_pass(bank: str, most: float) -> None:
    assert scores(bank).false_rejects <= most


def test_what_only_the_editorial_rules_refuse_is_refused_for_their_reason() -> None:
    banks = ("bank_dev", *STRANGERS, RICH)
    reasons = {
        row.id: validate(row.text, row.facts).reasons
        for bank in banks
        for row in rows(bank)
        if row.id in REFUSED_ON_PURPOSE
    }
    assert set(reasons) == set(REFUSED_ON_PURPOSE)
    assert all(code in reasons[name] for name, code in REFUSED_ON_PURPOSE.items())
