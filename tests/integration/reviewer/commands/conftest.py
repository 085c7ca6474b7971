"""A reviewer at work whose texts cost, and the commands that order and count them."""

import os
import signal
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
from services.reviewer.money.budget import Budget
from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.notices import template
from services.reviewer.notices.template import GeneratedText
from services.reviewer.providers.settings import TokenUsage
from services.reviewer.relay import Relay
from services.reviewer.texts.author import Author
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.money.budget import ASKED
from shared.sirene.facts import Facts
from tests.integration.reviewer.avis_command import Call, make_call, provider_of

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register

AtWork = Callable[[], AbstractContextManager[None]]

PROMPT = "notice-3"
# Each attempt came from a provider and took ten tokens: one cent.
_PAID = """
    CREATE FUNCTION paid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      NEW.provider := 'dear'; NEW.tokens_in := 8; NEW.tokens_out := 2; NEW.cost_eur := 0.008;
      NEW.prompt_version := 'notice-3'; RETURN NEW; END $$;
    CREATE TRIGGER paid BEFORE INSERT ON avis_attempts FOR EACH ROW EXECUTE FUNCTION paid()
"""


@pytest.fixture
def call(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    return make_call(database_url, monkeypatch)


@pytest.fixture
def budget(engine: Engine) -> Budget:
    return Budget(engine)


@pytest.fixture
def meter(engine: Engine, clock: Clock, metrics: Metrics) -> SharedMeter:
    meter = SharedMeter(engine, [provider_of()], clock, metrics, patience_seconds=5)
    meter.open(prompt_version=PROMPT)
    return meter


@pytest.fixture
def reviewer(
    register: "Register",
    database_url: str,
    meter: SharedMeter,
    clock: Clock,
    metrics: Metrics,
    author: Author,
) -> AtWork:
    """Run a reviewer during the block; a text reserves 1 cent and costs 0.8 cent."""
    register.execute(_PAID)

    def generate(facts: Facts, year: int) -> GeneratedText:
        reservation = meter.reserve(provider_of(), tokens=10, cost_eur=Decimal("0.01"))
        meter.settle(reservation, TokenUsage(tokens_in=8, tokens_out=2))
        return replace(template.generate(facts, year), prompt_version=PROMPT)

    @contextmanager
    def at_work() -> Iterator[None]:
        engine = make_engine(database_url, application_name="reviewer", pool_size=4)
        # The reviewer waits for the command: this generator fails for a text that may cost nothing.
        Budget(engine).pause(ASKED)
        stop = threading.Event()
        with ThreadPoolExecutor(3) as generators:
            reviewer = ShardReviewer(
                engine=engine,
                generators=generators,
                author=replace(author, generate=generate),
                clock=clock,
                metrics=metrics,
                lease_seconds=60,
                sole_traders=False,
                admit=Budget(engine).admitted,
            )

            def publish(message: ReviewAvis) -> None:
                reviewer.work(message.avis_ids)

            relay = Relay(
                engine=engine,
                publish=publish,
                clock=clock,
                metrics=metrics,
                high_water=100,
                stall_seconds=900,
            )

            def turn() -> None:
                while not stop.wait(0.1):
                    relay.step()

            turning = threading.Thread(target=turn)
            turning.start()
            try:
                yield
            finally:
                stop.set()
                turning.join()
        engine.dispose()

    return at_work


@contextmanager
def interrupted_at_the_sample(budget: Budget) -> Iterator[None]:
    """Interrupt the command: no reviewer makes the sample, and it would wait for ever."""
    before = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        while budget.read().sample_ids is None or signal.getsignal(signal.SIGINT) is before:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    yield
    thread.join()
