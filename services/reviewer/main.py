"""Puts the reviewer together; the only module of it that reads the environment."""

from concurrent.futures import ThreadPoolExecutor
from math import ceil

import dramatiq
from sqlalchemy import Engine

from services.reviewer.actors import Crew, declare_actors
from services.reviewer.bookkeeping import Bookkeeping
from services.reviewer.budget import Budget
from services.reviewer.generators import template
from services.reviewer.relay import AVIS_PER_MESSAGE, Relay
from services.reviewer.reviewing import Generator, Reviewing
from services.reviewer.settings import ReviewerSettings
from services.reviewer.validation import validate
from shared.clock import Clock
from shared.db.shards import open_shards
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.publishing import publish
from shared.service import Loop, Service, run_service
from shared.settings import load

_RELAY_INTERVAL_SECONDS = 0.5
_BOOKKEEPING_INTERVAL_SECONDS = 5.0
# Messages in the making hold twice what the generators can do at once, and one is being stored.
_TEXTS_CLAIMED_PER_GENERATOR = 2


def build(
    settings: ReviewerSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Service:
    """Declare the reviewer's actor on the broker and return what runs it."""
    shards = open_shards(settings, engine, application_name="sirenade-reviewer", pool_size=2)
    generators = ThreadPoolExecutor(settings.reviewer_generators, thread_name_prefix="generator")
    reviewing = Reviewing(
        Generator(template.MODEL, template.PROMPT_VERSION, template.generate),
        lambda text, facts: validate(text, facts).reasons,
        clock.monotonic_seconds,
    )
    crews = [
        Crew(
            engine=shard,
            generators=generators,
            reviewing=reviewing,
            clock=clock,
            metrics=metrics,
            lease_seconds=settings.reviewer_lease_seconds,
            sole_traders=settings.avis_sole_traders,
            admit=Budget(engine).admitted,
        )
        for shard in shards
    ]
    declare_actors(broker, *crews)
    relay = Relay(
        engine=engine,
        shards=shards,
        publish=lambda message: publish(broker, message),
        clock=clock,
        metrics=metrics,
        high_water=settings.reviewer_high_water,
        stall_seconds=settings.reviewer_stall_seconds,
    )
    claimed = settings.reviewer_generators * _TEXTS_CLAIMED_PER_GENERATOR
    return Service(
        name="reviewer",
        queue=ReviewAvis.QUEUE,
        worker_threads=1 + ceil(claimed / AVIS_PER_MESSAGE),
        loops=(
            Loop("relay", interval_seconds=_RELAY_INTERVAL_SECONDS, step=relay.step),
            Loop(
                "budget",
                interval_seconds=_BOOKKEEPING_INTERVAL_SECONDS,
                step=Bookkeeping(engine, metrics).step,
            ),
        ),
    )


def main() -> None:
    run_service("reviewer", load(ReviewerSettings), build)
