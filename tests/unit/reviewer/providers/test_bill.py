"""The usage that counts: what a server tells, never less than usual, and nothing beyond belief."""

from decimal import Decimal

import pytest

from services.reviewer.providers.answers import UNAVAILABLE, ModelAnswer
from services.reviewer.providers.bill import NOTHING, counted_usage, is_above
from services.reviewer.providers.settings import Price, TokenUsage

MOST = TokenUsage(tokens_in=1600, tokens_out=600)
"""The most tokens, of a prompt that usually has 800."""

PRICE = Price(input_eur_per_million=Decimal(1), output_eur_per_million=Decimal(2))
FREE = Price(input_eur_per_million=Decimal(0), output_eur_per_million=Decimal(0))


def usage(tokens_in: int, tokens_out: int, cached: int = 0) -> TokenUsage:
    return TokenUsage(tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=cached)


def answer(told: TokenUsage | None, written_bytes: int = 200) -> ModelAnswer:
    return ModelAnswer("Un texte.", (), told, written_bytes=written_bytes)


@pytest.mark.parametrize(
    ("told", "written_bytes", "counted"),
    [
        (usage(900, 60), 200, usage(900, 60)),
        (usage(900, 60, 500), 200, usage(900, 60, 500)),
        # Less than prompt and text usually take.
        (usage(0, 0), 200, usage(800, 50)),
        (usage(1, 60), 200, usage(800, 60)),
        (usage(900, 1), 200, usage(900, 50)),
        # Untold.
        (None, 200, usage(800, 50)),
        (None, 0, usage(800, 600)),
        (usage(0, 0), 0, usage(800, 600)),
        # More than was set aside, and to be believed.
        (usage(900, 99_999), 200, usage(900, 99_999)),
        # Beyond belief: what was set aside.
        (usage(900, 100_001), 200, MOST),
        (usage(100_001, 60), 200, MOST),
        (usage(2**62, 10**300), 200, MOST),
        # A text that is longer than it could be was written nevertheless.
        (usage(900, 100_001), 8000, usage(1600, 2000)),
        (None, 1 << 20, usage(800, 100_000)),
    ],
)
def test_what_counts_of_a_usage(
    told: TokenUsage | None, written_bytes: int, counted: TokenUsage
) -> None:
    assert counted_usage(answer(told, written_bytes), MOST) == counted


@pytest.mark.parametrize(
    ("told", "counted"),
    [(None, NOTHING), (usage(0, 0), NOTHING), (usage(900, 0), usage(900, 0))],
)
def test_a_failure_costs_nothing_unless_its_usage_says_so(
    told: TokenUsage | None, counted: TokenUsage
) -> None:
    failure = ModelAnswer(None, (UNAVAILABLE,), told, failed=True)
    assert counted_usage(failure, MOST) == counted


@pytest.mark.parametrize(
    ("told", "above"),
    [
        (None, False),
        (MOST, False),
        (usage(900, 601), False),
        (usage(900, 1400), True),
        (usage(6000, 60), True),
        (usage(900, 100_001), True),
        (usage(10**300, 0), True),
    ],
)
def test_a_server_that_bills_more_than_can_be_is_noticed(
    told: TokenUsage | None, *, above: bool
) -> None:
    assert is_above(answer(told), MOST, PRICE) is above
    assert not is_above(answer(told), MOST, FREE)


def test_a_cached_token_is_never_dearer_than_was_set_aside() -> None:
    with pytest.raises(ValueError, match="must not be above"):
        Price(
            input_eur_per_million=Decimal(1),
            output_eur_per_million=Decimal(1),
            cached_eur_per_million=Decimal(2),
        )
