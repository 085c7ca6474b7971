"""Puts the reviewer together; the only module of it that reads the environment."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import dramatiq
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer, declare_actors
from services.reviewer.batches.client import BatchClient
from services.reviewer.batches.loop import Batches, make_steps
from services.reviewer.capacity import Capacity
from services.reviewer.money.budget import Budget
from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.notices import template
from services.reviewer.providers.batch_route import BatchRoute
from services.reviewer.providers.call import ProviderClient
from services.reviewer.providers.chat import Chat
from services.reviewer.providers.choice import ProviderChoice, Providers
from services.reviewer.providers.gate import Gate
from services.reviewer.providers.prompt import read_prompt
from services.reviewer.providers.settings import Provider, read_providers
from services.reviewer.relay import AVIS_PER_MESSAGE, Relay
from services.reviewer.settings import ReviewerSettings
from services.reviewer.texts.author import Author, Generator, one_at_a_time
from services.reviewer.texts.rewriter import Rewriter
from services.reviewer.texts.warm_up import warm_up
from services.reviewer.validation import RULES, validate
from shared.broker.envelope import publish
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.shards import open_shards
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.runtime.service import Loop, Service, run_service
from shared.settings import load
from shared.sirene.facts import Facts

_RELAY_INTERVAL_SECONDS = 0.5
_BOOKKEEPING_INTERVAL_SECONDS = 5.0
_BATCHES_INTERVAL_SECONDS = 5.0
# Twice what the generators can do at once is claimed: what comes next is at hand.
_TEXTS_CLAIMED_PER_GENERATOR = 2
# What becomes due bit by bit leaves in small messages, one at each turn of the relay: in the making
# are as many as a text takes turns.
_THREADS_FOR_SMALL_MESSAGES = 8
_TIMEOUTS_PER_LEASE = 8
# So that the next call need not wait until the last answer is validated.
_THREADS_PER_CALL = 1.25


def _judge(text: str, facts: Facts) -> Sequence[str]:
    return validate(text, facts).reasons


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
    for shard in shards:
        metrics.pools.watch("shards", shard)
    metrics.declare_reasons(RULES)
    warm_up()
    providers = read_providers_of(settings)
    meter = _meter(settings, providers, engine, clock, metrics)
    at_work = settings.reviewer_generators
    if providers:
        at_work = ceil(at_work * _THREADS_PER_CALL)
    metrics.generators.set(at_work)
    batch_clients = [BatchClient(each, each.batch) for each in providers if each.batch is not None]
    batch_lines = {each.provider.name: BatchRoute(each.provider) for each in batch_clients}
    generators = ThreadPoolExecutor(at_work, thread_name_prefix="generator")
    ways = [
        batch_lines.get(each.name) or _line(settings, each, meter, clock, metrics)
        for each in providers
    ]
    choice = None
    if ways:
        chosen = Providers(ways, clock, outage_seconds=settings.avis_outage_seconds)
        choice = ProviderChoice(chosen, read_prompt())
    author = Author(
        Generator(template.MODEL, template.PROMPT_VERSION, template.generate),
        one_at_a_time(_judge),
        clock.monotonic_seconds,
        choice=choice,
        metrics=metrics,
    )
    # Keys were read by now: nobody is told of a provider that cannot be asked.
    meter.open(prompt_version=author.prompt_version)
    claimed = at_work * _TEXTS_CLAIMED_PER_GENERATOR
    capacity = Capacity(clock, claimed)
    reviewers = [
        ShardReviewer(
            engine=shard,
            generators=generators,
            author=author,
            clock=clock,
            metrics=metrics,
            lease_seconds=lease_seconds(settings, providers),
            sole_traders=settings.avis_sole_traders,
            admit=Budget(engine).admitted,
            # Out of turn: places are locked while a text is written again.
            rewrite=Rewriter(_judge, clock, metrics).rewrite,
            capacity=capacity,
        )
        for shard in shards
    ]
    declare_actors(broker, *reviewers)
    relay = Relay(
        engine=engine,
        shards=shards,
        publish=lambda message: publish(broker, message),
        clock=clock,
        metrics=metrics,
        high_water=settings.reviewer_high_water,
        stall_seconds=settings.reviewer_stall_seconds,
    )
    batches = Batches(
        engine,
        reviewers,
        [
            (
                batch_lines[client.provider.name],
                make_steps(client, reviewers, engine, read_prompt()),
            )
            for client in batch_clients
        ],
        clock,
        metrics,
    )
    # Messages in the making, and one that is being stored.
    threads = 1 + ceil(claimed / AVIS_PER_MESSAGE) + min(at_work, _THREADS_FOR_SMALL_MESSAGES)
    return Service(
        name="reviewer",
        queue=ReviewAvis.QUEUE,
        worker_threads=threads,
        # No more ahead: other replicas would find none.
        prefetch=threads,
        loops=(
            Loop("relay", interval_seconds=_RELAY_INTERVAL_SECONDS, step=relay.step),
            Loop(
                "budget",
                interval_seconds=_BOOKKEEPING_INTERVAL_SECONDS,
                step=meter.settle_and_expire,
            ),
            Loop("batches", interval_seconds=_batches_interval(providers), step=batches.step),
        ),
    )


def read_providers_of(settings: ReviewerSettings) -> tuple[Provider, ...]:
    """Raises UserError."""
    file = settings.avis_providers_file
    return () if file is None else read_providers(file)


def lease_seconds(settings: ReviewerSettings, providers: Sequence[Provider]) -> float:
    """As set, or long enough for what a chat server may take: half to wait, half to call."""
    longest = max((provider.timeout_seconds for provider in providers), default=0.0)
    return max(settings.reviewer_lease_seconds, _TIMEOUTS_PER_LEASE * longest)


def _batches_interval(providers: Sequence[Provider]) -> float:
    """As often as the most impatient of them polls, within reason."""
    polls = [provider.batch.poll_seconds for provider in providers if provider.batch is not None]
    return min([_BATCHES_INTERVAL_SECONDS, *polls])


def _meter(
    settings: ReviewerSettings,
    providers: Sequence[Provider],
    engine: Engine,
    clock: Clock,
    metrics: Metrics,
) -> SharedMeter:
    """On connections of its own where calls are metered: texts that are stored need not wait."""
    if providers:
        url = settings.database_url.get_secret_value()
        engine = make_engine(url, application_name="sirenade-meter")
        metrics.pools.watch("meter", engine)
    patience_seconds = lease_seconds(settings, providers) / 4
    return SharedMeter(engine, providers, clock, metrics, patience_seconds=patience_seconds)


def _line(
    settings: ReviewerSettings,
    provider: Provider,
    meter: SharedMeter,
    clock: Clock,
    metrics: Metrics,
) -> ProviderClient:
    most = min(provider.max_parallel, settings.reviewer_generators)
    gate = Gate(provider.name, most=most, clock=clock, metrics=metrics)
    return ProviderClient(Chat(provider, clock), gate, meter, clock, metrics)


def main() -> None:
    run_service("reviewer", load(ReviewerSettings), build)
