"""A reviewer and its batches over a server that the test controls."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer
from services.reviewer.batches.client import BatchClient
from services.reviewer.batches.loop import Batches
from services.reviewer.batches.step import BatchSteps
from services.reviewer.money.budget import Budget
from services.reviewer.money.rate_limits import open_providers
from services.reviewer.providers.batch_route import BatchRoute
from services.reviewer.providers.choice import ProviderChoice
from services.reviewer.providers.prompt import read_prompt
from services.reviewer.providers.settings import Batch, Provider, TokenUsage
from services.reviewer.texts.author import Author
from services.reviewer.validation import validate
from shared.clock import Clock
from shared.metrics import Metrics
from tests.integration.reviewer.batch_server import BatchServer, batch_server
from tests.integration.reviewer.chat_reviews import PRICE, provider

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


EACH_EUR = PRICE.cost_eur(TokenUsage(tokens_in=1200, tokens_out=120))


@dataclass
class Desk:
    """A reviewer's actor and its loop over batches, one step at a time."""

    engine: Engine
    reviewer: ShardReviewer
    batches: Batches
    line: BatchRoute
    server: BatchServer
    register: "Register"

    def work(self, ids: list[int]) -> None:
        """Let avis wait for a batch, as a message does."""
        self.batches.step()
        self.reviewer.work(ids)

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "not reached in time"
            self.batches.step()
            time.sleep(0.02)

    def outcomes(self) -> dict[str, int]:
        found = self.register.rows("SELECT outcome FROM avis")
        return Counter(row["outcome"] for row in found)

    def states(self) -> list[str]:
        return [row["state"] for row in self.register.rows("SELECT * FROM review_batches")]

    def attempts(self) -> list[Any]:
        return self.register.rows("SELECT * FROM avis_attempts ORDER BY id")

    def due(self) -> int:
        """Return the avis that the relay would send."""
        query = "SELECT FROM avis WHERE outcome = 'pending' AND lease_until IS NULL"
        return len(self.register.rows(query))

    def paid(self) -> tuple[Any, Any]:
        """Return what was spent, and what is still set aside."""
        state = Budget(self.engine).read()
        return state.spent_eur, state.reserved_eur


Make = Callable[..., Desk]


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with batch_server() as running:
        yield running


@pytest.fixture
def make(register: "Register", engine: Engine, server: BatchServer) -> Iterator[Make]:
    pools: list[ThreadPoolExecutor] = []

    def make_desk(**settings: Any) -> Desk:
        batch = Batch(size=50, poll_seconds=0.1, linger_seconds=0)
        values = {"timeout_seconds": 1, "batch": batch, **settings}
        one: Provider = provider(server.base_url, "batcher", **values)
        assert one.batch is not None
        clock, metrics, prompt = Clock(), Metrics(), read_prompt()
        line = BatchRoute(one)
        pools.append(ThreadPoolExecutor(2))
        author = Author(
            validate,
            clock,
            choice=ProviderChoice([line], prompt, clock, 600),
            metrics=metrics,
        )
        reviewer = ShardReviewer(
            engine=engine,
            generators=pools[-1],
            author=author,
            clock=clock,
            metrics=metrics,
            lease_seconds=60,
            sole_traders=False,
        )
        open_providers(engine, [one], prompt_version=prompt.version)
        steps = BatchSteps(engine, reviewer, BatchClient(one, one.batch), prompt)
        batches = Batches(engine, [reviewer], [(line, [steps])], clock, metrics)
        return Desk(engine, reviewer, batches, line, server, register)

    Budget(engine).resume(keep_cap=False)
    yield make_desk
    for pool in pools:
        pool.shutdown()
