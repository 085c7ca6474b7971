"""`avis run`: it stops at the cap, and tells what each text cost."""

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from services.reviewer.money.shared_meter import SharedMeter
from shared.errors import SlowDown
from tests.integration.reviewer.avis_command import Call, provider_of
from tests.integration.reviewer.commands.conftest import AtWork

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


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
