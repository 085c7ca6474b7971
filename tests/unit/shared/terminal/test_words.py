"""The form of numbers, durations and money for people."""

from decimal import Decimal

import pytest

from shared.terminal.words import counted, duration, eta, euros, mib, percent, thousands


def test_one_is_told_as_one() -> None:
    told = [counted(number, "page has", "pages have") for number in (0, 1, 2)]
    assert told == ["0 pages have", "1 page has", "2 pages have"]


def test_digits_are_grouped_by_a_space_that_does_not_break() -> None:
    assert thousands(1_234_567) == "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567"
    assert mib(1234 << 20) == "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}MiB"


def test_an_unknown_share_is_a_question_mark() -> None:
    assert percent(None) == "?"
    assert percent(0.123) == "12\N{NO-BREAK SPACE}%"
    assert percent(0.123, decimals=1) == "12.3\N{NO-BREAK SPACE}%"


def test_a_duration_shows_its_days() -> None:
    assert duration(2 * 86_400 + 3661) == "2d 01:01:01"


def test_an_eta_has_at_most_eight_columns() -> None:
    assert [eta(seconds) for seconds in (None, 3661, 86_400)] == ["--:--:--", "01:01:01", "> 1 day"]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00 €"),
        ("0.00001234", "0.0000123 €"),
        ("0.0030636", "0.00306 €"),
        ("0.00520812", "0.00521 €"),
        ("0.002", "0.002 €"),
        ("0.009999", "0.01 €"),
        ("0.5", "0.5000 €"),
        ("12.345", "12.34 €"),
        ("123456.7", "123\N{NO-BREAK SPACE}456.70 €"),
    ],
)
def test_a_small_amount_is_not_shown_as_nothing(amount: str, shown: str) -> None:
    assert euros(Decimal(amount)) == shown
