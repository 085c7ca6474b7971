"""The rules of quoting on reviews whose author had seen no rule."""

import pytest

from tests.mutations.quotations import judged, shares


@pytest.mark.parametrize("bank", ["quotations", "quotations_later"])
def test_what_must_not_be_repeated_is_caught_and_most_else_is_quoted(bank: str) -> None:
    caught, refused = shares(bank)
    passed = [one.id for one in judged(bank) if not one.quotable and not one.reasons]
    assert caught >= 0.97, passed
    assert refused <= 0.15
