"""`avis forecast`: the cost before anything is made."""

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from services.reviewer.money.budget import Budget
from tests.integration.reviewer.avis_command import Call
from tests.integration.reviewer.commands.conftest import PROMPT, AtWork

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


@pytest.mark.usefixtures("meter")
def test_without_a_sample_the_forecast_says_how_to_make_one(
    register: "Register", call: Call
) -> None:
    register.add(range(1, 3))
    shown = call("forecast").stdout
    assert "2 texts, cost not known" in shown
    assert "./sirenade avis run --sample 20 --cap EUR" in shown


def test_templates_alone_cost_nothing(register: "Register", call: Call) -> None:
    register.add(range(1, 3))
    shown = call("forecast").stdout
    assert "2 texts" in shown
    assert "at no cost" in shown


@pytest.mark.usefixtures("meter")
def test_a_provider_that_nobody_knows_is_one_clear_line(call: Call) -> None:
    done = call("forecast", "--provider", "mistrall")
    assert done.returncode == 2
    assert "'mistrall'; known: dear" in done.stderr


def test_another_prompt_is_counted_and_priced_before_a_text_is_made_again(
    register: "Register", call: Call, budget: Budget, reviewer: AtWork
) -> None:
    ids = register.add(range(1, 7))
    with reviewer():
        assert call("run", "--cap", "5", "--json").returncode == 0
    register.execute("UPDATE avis SET prompt_version = 'notice-2' WHERE id > :id", id=ids[1])
    priced = call("forecast", "--prompt", PROMPT, "--json").told
    assert (priced["texts"], Decimal(priced["eur"])) == (4, Decimal("0.032"))
    for arguments, words in (
        (("--prompt", PROMPT), "4 texts"),
        (("--prompt", "notice-9", "--yes"), "not 'notice-9'"),
    ):
        refused = call("run", *arguments)
        assert refused.returncode == 2
        assert words in refused.stderr
        assert register.rows("SELECT FROM avis WHERE outcome = 'pending'") == []
    with reviewer():
        again = call("run", "--prompt", PROMPT, "--yes", "--json")
        assert again.returncode == 0, again.stderr
    assert [line["texts"] for line in again.events("marked")] == [4]
    assert budget.read().spent_eur == Decimal("0.08")
    assert call("forecast", "--prompt", PROMPT, "--json").told["texts"] == 0
