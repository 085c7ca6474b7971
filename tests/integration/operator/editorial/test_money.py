"""The money of texts, as the console shows it."""

from decimal import Decimal
from typing import TYPE_CHECKING

from services.operator.editorial.money import read_forecast, read_money
from shared.money.budget import pause, resume_under

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register


def test_money_is_told_by_provider_with_what_is_reserved(register: "Register") -> None:
    register.add(range(1, 4))
    register.execute(
        "INSERT INTO review_providers (name, listed, model, weight, max_parallel, charges,"
        " spent_eur) VALUES ('a', true, 'm', 1, 1, true, 2)"
    )
    register.execute(
        "INSERT INTO review_reservations (provider, tokens, cost_eur, expires_at)"
        " VALUES ('a', 1, 0.25, now()), ('a', 1, 0.5, now())"
    )
    register.execute(
        "INSERT INTO review_batches (key, provider, model, prompt_version, structured_output,"
        " state, texts, cost_eur, expires_at)"
        " VALUES (gen_random_uuid(), 'a', 'm', 'p', 'plain', 'submitted', 40, 1, now())"
    )
    with register.engine.begin() as connection:
        resume_under(connection, "12,50")
        money = read_money(connection, [connection])
        assert (money.budget.status, money.budget.cap_eur) == ("running", Decimal("12.5"))
        [provider] = money.providers
        assert (provider.spent_eur, provider.reserved_eur) == (Decimal(2), Decimal("0.75"))
        assert [(each.provider, each.texts) for each in money.batches] == [("a", 40)]
        assert (money.first_texts, money.renewals, money.is_capped) == (3, 0, False)
        pause(connection)
        paused = read_money(connection, [connection]).budget
    assert (paused.status, paused.paused_because) == ("paused", "asked")


def test_the_forecast_multiplies_due_texts_by_what_texts_have_cost(
    register: "Register", reviewers_desk: "Desk"
) -> None:
    ids = register.add(range(1, 8))
    reviewers_desk.store(*reviewers_desk.claim(ids[:2]))
    register.execute(
        "INSERT INTO review_providers (name, listed, model, weight, max_parallel, charges)"
        " VALUES ('a', true, 'm', 1, 1, true)"
    )
    register.execute("UPDATE avis_attempts SET provider = 'a', cost_eur = 0.01")
    with register.engine.connect() as connection:
        found = read_forecast(connection, [register.engine])
    assert (found.texts, found.eur) == (5, Decimal("0.05"))
