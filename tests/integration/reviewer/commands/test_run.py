"""`avis run`: it stops at the cap, and tells what each text cost."""

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



def test_a_run_that_reaches_its_cap_ends_the_watch_and_says_how_to_go_on(
    register: "Register", call: Call, meter: SharedMeter
) -> None:
    register.add(range(1, 3))
    with pytest.raises(SlowDown):
        meter.reserve(provider_of(), tokens=10, cost_eur=Decimal("0.01"))
    done = call("run")
    assert done.returncode == 1
    assert "nothing may be spent yet" in done.stdout
    assert "resume --cap" in done.stdout


def test_without_anything_due_the_run_is_over_at_once(call: Call) -> None:
    done = call("run", "--json")
    assert done.returncode == 0
    assert [end["due"] for end in done.events("end")] == [0]


def test_the_history_tells_provider_tokens_cost_and_verdict_of_each_attempt(
    register: "Register", call: Call, reviewer: AtWork
) -> None:
    register.add(range(1, 2))
    with reviewer():
        assert call("run", "--cap", "5", "--json").returncode == 0
    shown = call("show", f"{register.siren(1)}00011").stdout
    for words in ("dear", "notice-3", "0.008000", "accepted", "Bordeaux"):
        assert words in shown
