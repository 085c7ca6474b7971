"""The arithmetic of a forecast, and amounts as people write them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reviewer.providers.settings import Price, TokenUsage
from shared.errors import UserError
from shared.money.amounts import parse_cap
from shared.money.forecast import DueGroup, KnownProvider, MadeText, forecast

DUE = [DueGroup("43.32A", "33", 600), DueGroup("56.10A", "33", 300), DueGroup("43.32A", "2A", 100)]


def provider(name: str = "mistral", **settings: Any) -> KnownProvider:
    return KnownProvider(
        **{
            "name": name,
            "model": "small",
            "prompt_version": "notice-3",
            "weight": 1.0,
            "max_parallel": 100,
            "charges": True,
            "requests_per_minute": None,
            "tokens_per_minute": None,
            **settings,
        }
    )


def made(cost: str = "0.001", **settings: Any) -> MadeText:
    return MadeText(
        **{
            "provider": "mistral",
            "prompt_version": "notice-3",
            "calls": 1,
            "tokens_in": 400,
            "tokens_out": 100,
            "cost_eur": Decimal(cost),
            "latency_seconds": 2.0,
            **settings,
        }
    )


def test_texts_tokens_and_euros_are_the_samples_means_times_what_is_due() -> None:
    found = forecast(DUE, [provider()], [made("0.001"), made("0.003", calls=3, tokens_in=1200)])
    assert (found.texts, found.tokens, found.eur) == (1000, 900_000, Decimal(2))
    [share] = found.shares
    assert (share.calls, share.sample) == (2000, 2)
    # The sample's standard deviation is 0.001414 for two texts.
    assert round(found.spread_eur, 6) == Decimal(2)
    assert (share.text_low_eur, share.text_high_eur) == (Decimal("0.001"), Decimal("0.003"))
    assert found.by_activite == (("43.32A", 700, Decimal("1.4")), ("56.10A", 300, Decimal("0.6")))
    assert found.by_departement == (("33", 900, Decimal("1.8")), ("2A", 100, Decimal("0.2")))


@pytest.mark.parametrize(
    ("limits", "minutes"),
    [
        ({"max_parallel": 20}, 1000 * 2 / 20 / 60),
        ({"requests_per_minute": 100}, 10),
        ({"requests_per_minute": 100, "tokens_per_minute": 25_000}, 20),
    ],
    ids=str,
)
def test_the_narrowest_limit_says_how_long_it_takes(limits: dict[str, Any], minutes: float) -> None:
    found = forecast(DUE, [provider(**limits)], [made(), made()])
    assert found.hours * 60 == pytest.approx(minutes)


def test_the_texts_are_shared_out_by_weight_and_none_is_lost() -> None:
    two = [provider(weight=2.0), provider("local", weight=1.0), provider("spare", weight=0.0)]
    found = forecast(DUE, two, [made(), made("0", provider="local")])
    assert [(share.provider, share.texts) for share in found.shares] == [
        ("mistral", 667),
        ("local", 333),
    ]
    assert found.eur == Decimal("0.667")


def test_a_provider_without_a_sample_makes_the_bill_unknown_not_zero() -> None:
    found = forecast(DUE, [provider()], [made(provider="another")])
    assert found.unsampled == ("mistral",)
    assert found.text_eur is None


def test_the_sample_is_of_the_prompt_in_use_where_there_is_one() -> None:
    both = [made("0.005", prompt_version="notice-2"), made("0.001")]
    [share] = forecast(DUE, [provider()], both).shares
    assert (share.prompt_version, share.text_eur) == ("notice-3", Decimal("0.001"))
    [share] = forecast(DUE, [provider(prompt_version="notice-4")], both).shares
    assert (share.prompt_version, share.text_eur) == ("notice-2", Decimal("0.005"))


def test_nothing_due_and_nobody_asked_cost_nothing() -> None:
    assert forecast([], [provider()], []).eur == 0
    assert forecast(DUE, [], []).eur == 0


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_cost_is_never_negative_and_has_the_decimals_that_the_tables_keep(
    tokens_in: int, tokens_out: int, cached: int
) -> None:
    price = Price(
        input_eur_per_million=Decimal("0.0913"),
        output_eur_per_million=Decimal("0.27"),
        cached_eur_per_million=Decimal("0.01"),
    )
    cost = price.cost_eur(
        TokenUsage(tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=cached)
    )
    assert cost >= 0
    assert cost == round(cost, 8)


@pytest.mark.parametrize(
    ("words", "amount"), [("50", "50"), ("12.5", "12.5"), ("12,50", "12.5"), (" 0 ", "0")]
)
def test_an_amount_is_read_as_people_write_it(words: str, amount: str) -> None:
    assert parse_cap(words) == Decimal(amount)


@pytest.mark.parametrize(
    "words", ["", "ten", "-1", "nan", "inf", "1e3", "1.234", "1 000", "²", "1_0"]
)
def test_what_is_no_amount_is_refused(words: str) -> None:
    with pytest.raises(UserError):
        parse_cap(words)
