"""`avis forecast`: the cost before anything is made."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.money.budget import ASKED, Budget
from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.notices import template
from services.reviewer.notices.template import GeneratedText
from services.reviewer.providers.settings import TokenUsage
from services.reviewer.relay import Relay
from services.reviewer.texts.author import Author
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import SlowDown
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.sirene.facts import Facts
from tests.integration.reviewer.commands.conftest import AtWork, PROMPT, interrupted_at_the_sample
from tests.integration.reviewer.avis_command import Call, make_call, provider_of

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Desk, Register



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
