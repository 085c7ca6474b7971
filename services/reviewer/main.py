"""The composition root of the reviewer; the service reads the environment here only."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import ceil

import dramatiq
from sqlalchemy import Engine

from services.reviewer.actors import ShardReviewer, declare_actors
from services.reviewer.batches.client import BatchClient
from services.reviewer.batches.loop import Batches
from services.reviewer.batches.step import BatchSteps
from services.reviewer.capacity import Capacity
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.contexts.sweep import ContextSweep
from services.reviewer.editors.orders import Editor
from services.reviewer.money.budget import Budget
from services.reviewer.money.shared_meter import SharedMeter
from services.reviewer.providers.batch_route import BatchRoute
from services.reviewer.providers.call import ProviderClient
from services.reviewer.providers.chat import Chat
from services.reviewer.providers.choice import ProviderChoice, ProviderRoute
from services.reviewer.providers.gate import Gate
from services.reviewer.providers.prompt import read_prompt
from services.reviewer.providers.settings import Provider, read_providers
from services.reviewer.relay import AVIS_PER_MESSAGE, Relay
from services.reviewer.settings import ReviewerSettings
from services.reviewer.texts.author import Author, one_at_a_time
from services.reviewer.texts.duplicates import Rewriter
from services.reviewer.texts.holds import HoldRules
from services.reviewer.texts.provenance import Imprint
from services.reviewer.texts.warm_up import warm_up
from services.reviewer.validation import RULES, validate
from services.reviewer.validation.sentences.declarations import FACTS_MISNAMED
from shared.broker.envelope import publish
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.shards import open_shards
from shared.messages import ReviewAvis
from shared.metrics import Metrics
from shared.runtime.service import Loop, Service, run_service, warn_of
from shared.settings import load
from shared.transit import doubts_about, hosts_of

_RELAY_INTERVAL_SECONDS = 0.5
_BOOKKEEPING_INTERVAL_SECONDS = 5.0
_BATCHES_INTERVAL_SECONDS = 5.0
_NO_BATCHES_INTERVAL_SECONDS = 60.0
_CONTEXTS_INTERVAL_SECONDS = 30.0
# A person waits for the outcome.
_ORDERS_INTERVAL_SECONDS = 1.0
# The second text of each generator waits in memory, so that no generator waits for a claim.
_TEXTS_CLAIMED_PER_GENERATOR = 2
# Avis that become due one by one leave in small messages, one at each turn of the relay. This is
# the number of turns that a text takes.
_THREADS_FOR_SMALL_MESSAGES = 8
_TIMEOUTS_PER_LEASE = 8
# The next call begins while the last answer is validated.
_THREADS_PER_CALL = 1.25


@dataclass(frozen=True)
class _Parts:
    """The parts of the service, and the service that they make."""

    settings: ReviewerSettings
    providers: Sequence[Provider]
    engine: Engine
    shards: Sequence[Engine]
    clock: Clock
    metrics: Metrics
    give_way: Callable[[], None]

    @property
    def texts_at_once(self) -> int:
        generators = self.settings.reviewer_generators
        return ceil(generators * _THREADS_PER_CALL) if self.providers else generators

    @property
    def texts_claimed(self) -> int:
        return self.texts_at_once * _TEXTS_CLAIMED_PER_GENERATOR

    @property
    def worker_threads(self) -> int:
        """Return threads for messages whose texts are made, and one whose texts are stored."""
        small = min(self.texts_at_once, _THREADS_FOR_SMALL_MESSAGES)
        return 1 + ceil(self.texts_claimed / AVIS_PER_MESSAGE) + small

    @property
    def lease_seconds(self) -> float:
        """Return the lease of the settings, or more: half of it is to wait, half to call."""
        longest = max((provider.timeout_seconds for provider in self.providers), default=0.0)
        return max(self.settings.reviewer_lease_seconds, _TIMEOUTS_PER_LEASE * longest)

    @property
    def hold_rules(self) -> HoldRules:
        settings = self.settings
        return HoldRules(
            settings.avis_hold_fallback_share,
            settings.avis_hold_first_texts,
            settings.avis_hold_syntheses,
        )

    @property
    def imprint(self) -> Imprint:
        settings = self.settings
        return Imprint(
            settings.avis_publisher, settings.avis_publisher_url, settings.avis_licence_url
        )

    @property
    def batches_interval_seconds(self) -> float:
        """Return the shortest poll interval of a provider, at most that of the loop.

        Without such a provider only batches of earlier ones are given up, hours after their end.
        """
        batches = [each.batch for each in self.providers if each.batch is not None]
        if not batches:
            return _NO_BATCHES_INTERVAL_SECONDS
        return min([_BATCHES_INTERVAL_SECONDS, *(batch.poll_seconds for batch in batches)])

    def meter(self) -> SharedMeter:
        """Return a meter; with providers it has its own connections, so no store waits for it."""
        engine = self.engine
        if self.providers:
            url = self.settings.database_url.get_secret_value()
            engine = make_engine(url, application_name="sirenade-meter")
            self.metrics.pools.watch("meter", engine)
        patience = self.lease_seconds / 4
        return SharedMeter(
            engine, self.providers, self.clock, self.metrics, patience_seconds=patience
        )

    def keep_books(self, meter: SharedMeter) -> None:
        """Settle what is left over, and expire reservations apart from the meter's connections."""
        meter.settle_left_over()
        meter.renew_doubts()
        Budget(self.engine).expire()

    def client(self, provider: Provider, meter: SharedMeter) -> ProviderClient:
        most = min(provider.max_parallel, self.settings.reviewer_generators)
        gate = Gate(provider.name, most=most, clock=self.clock, metrics=self.metrics)
        chat = Chat(provider, self.settings.egress)
        return ProviderClient(chat, gate, meter, self.clock, self.metrics)

    def author(self, routes: Sequence[ProviderRoute]) -> Author:
        outage_seconds = self.settings.avis_outage_seconds
        choice = ProviderChoice(routes, read_prompt(), self.clock, outage_seconds)
        return Author(
            one_at_a_time(validate),
            self.clock,
            choice=choice if routes else None,
            metrics=self.metrics,
        )

    def contexts(self) -> ContextReader:
        return ContextReader(self.engine, self.shards, self.clock)

    def reviewers(self, author: Author, contexts: ContextReader) -> list[ShardReviewer]:
        """Return a reviewer for each shard; they share generators and capacity."""
        generators = ThreadPoolExecutor(self.texts_at_once, thread_name_prefix="generator")
        capacity = Capacity(self.clock, self.texts_claimed)
        return [
            ShardReviewer(
                engine=shard,
                generators=generators,
                author=author,
                clock=self.clock,
                metrics=self.metrics,
                lease_seconds=self.lease_seconds,
                sole_traders=self.settings.avis_sole_traders,
                admit=Budget(self.engine).admitted,
                describe=contexts.describe,
                rewriter=Rewriter(author.validate, self.clock, self.metrics),
                hold_rules=self.hold_rules,
                imprint=self.imprint,
                capacity=capacity,
                give_way=self.give_way,
            )
            for shard in self.shards
        ]

    def relay(self, broker: dramatiq.Broker) -> Relay:
        return Relay(
            engine=self.engine,
            shards=self.shards,
            publish=lambda message: publish(broker, message),
            clock=self.clock,
            metrics=self.metrics,
            high_water=self.settings.reviewer_high_water,
            stall_seconds=self.settings.reviewer_stall_seconds,
        )

    def carry_out_orders(self, contexts: ContextReader, relay: Relay) -> None:
        """Carry out the orders of people about texts, shard by shard, where our relay works.

        The others would look for them in vain, every second.
        """
        if not relay.works:
            return
        sole_traders, imprint = self.settings.avis_sole_traders, self.imprint
        for shard in self.shards:
            Editor(shard, validate, self.clock, contexts, sole_traders, imprint).step()

    def service(self, broker: dramatiq.Broker) -> Service:
        self.metrics.generators.set(self.texts_at_once)
        meter = self.meter()
        clients = [
            BatchClient(each, each.batch, self.settings.egress)
            for each in self.providers
            if each.batch is not None
        ]
        batch_routes = {each.provider.name: BatchRoute(each.provider) for each in clients}
        author = self.author(
            [batch_routes.get(each.name) or self.client(each, meter) for each in self.providers]
        )
        # All keys are read: other replicas never learn of a provider that this one cannot ask.
        meter.open(prompt_version=author.prompt_version)
        contexts = self.contexts()
        reviewers = self.reviewers(author, contexts)
        sweep = ContextSweep(contexts, self.clock, sole_traders=self.settings.avis_sole_traders)
        declare_actors(broker, *reviewers)
        relay, prompt = self.relay(broker), read_prompt()
        orders = partial(self.carry_out_orders, contexts, relay)
        routes = [
            (
                batch_routes[client.provider.name],
                [BatchSteps(self.engine, each, client, prompt) for each in reviewers],
            )
            for client in clients
        ]
        batches = Batches(self.engine, reviewers, routes, self.clock, self.metrics)
        return Service(
            name="reviewer",
            queue=ReviewAvis.QUEUE,
            worker_threads=self.worker_threads,
            # A process that prefetched more would leave nothing to other replicas.
            prefetch=self.worker_threads,
            loops=(
                Loop("relay", _RELAY_INTERVAL_SECONDS, relay.step, relay.end),
                Loop("budget", _BOOKKEEPING_INTERVAL_SECONDS, partial(self.keep_books, meter)),
                Loop("orders", _ORDERS_INTERVAL_SECONDS, orders),
                Loop("contexts", _CONTEXTS_INTERVAL_SECONDS, sweep.step),
                Loop("batches", self.batches_interval_seconds, batches.step),
            ),
        )


def build(  # noqa: PLR0913  # what every service gets, and the turns of an embedded one
    settings: ReviewerSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
    give_way: Callable[[], None] = lambda: None,
) -> Service:
    """Declare the reviewer's actor on the broker and return what runs it.

    `give_way` is called before each text, and waits where other work of the process goes first.
    Raises UserError when the file of providers, or a key that it names, cannot be read.
    """
    shards = open_shards(settings, engine, application_name="sirenade-reviewer", pool_size=2)
    for shard in shards:
        metrics.pools.watch("shards", shard)
    metrics.declare_reasons((*RULES, FACTS_MISNAMED))
    warm_up()
    file = settings.avis_providers_file
    providers = () if file is None else read_providers(file)
    keyed = {f"provider {each.name}": str(each.base_url) for each in providers if each.key_file}
    warn_of(doubts_about(keyed, hosts_of(settings.clear_text_hosts)))
    parts = _Parts(settings, providers, engine, shards, clock, metrics, give_way)
    return parts.service(broker)


def main() -> None:
    run_service("reviewer", load(ReviewerSettings), build)
