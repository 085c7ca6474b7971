"""The metrics of every process: messages, loops, threads, connections, memory."""

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from shared.metrics.catalogue import MESSAGE_BUCKETS, Catalogue

# A `retried` message comes again; a `rejected` one became a dead letter.
ACTOR_OUTCOMES = ("done", "retried", "rejected", "slowed_down")


class PoolCollector(Collector):
    """The connection pools at the moment of the scrape."""

    def __init__(self) -> None:
        self._engines: list[tuple[str, Engine]] = []

    def watch(self, pool: str, engine: Engine) -> None:
        """Add an engine to the pool of this name; an engine counts once."""
        if all(watched is not engine for _, watched in self._engines):
            self._engines.append((pool, engine))

    def describe(self) -> list[GaugeMetricFamily]:
        return self._families()

    def collect(self) -> list[GaugeMetricFamily]:
        size, in_use = self._families()
        for name in dict.fromkeys(name for name, _ in self._engines):
            pools = [
                engine.pool
                for watched, engine in self._engines
                if watched == name and isinstance(engine.pool, QueuePool)
            ]
            size.add_metric([name], sum(pool.size() for pool in pools))
            in_use.add_metric([name], sum(pool.checkedout() for pool in pools))
        return [size, in_use]

    @staticmethod
    def _families() -> list[GaugeMetricFamily]:
        return [
            GaugeMetricFamily(
                "sirenade_pool_connections_limit",
                "Connections to PostgreSQL that this process may hold, by pool.",
                labels=["pool"],
            ),
            GaugeMetricFamily(
                "sirenade_pool_connections_used",
                "Connections to PostgreSQL that are at work, by pool.",
                labels=["pool"],
            ),
        ]


class ProcessMetrics:
    def _make_process_metrics(
        self, catalogue: Catalogue, registry: CollectorRegistry, version: str
    ) -> None:
        self._make_message_metrics(catalogue)
        self._make_loop_metrics(catalogue)
        # It is always 1; another version shows a deployment.
        catalogue.gauge("sirenade_build_info", "What this process runs.", ["version"]).labels(
            version=version
        ).set(1)
        self.pools = PoolCollector()
        registry.register(self.pools)
        # It adds memory, processor seconds, open files and start time under their usual names.
        ProcessCollector(registry=registry)

    def _make_message_metrics(self, catalogue: Catalogue) -> None:
        self.messages = catalogue.counter_by(
            "sirenade_messages", "Messages by actor and by what came of them.", ["actor", "outcome"]
        )
        self.message_seconds = catalogue.histogram(
            "sirenade_message_seconds", "Run time of an actor.", ["actor"]
        )
        # A message that comes again after a failure waits since its first publication.
        self.message_wait_seconds = catalogue.histogram(
            "sirenade_message_wait_seconds",
            "Time from a message's first publication to its run.",
            ["actor"],
            MESSAGE_BUCKETS,
        )
        self.messages_in_progress = catalogue.gauge(
            "sirenade_messages_in_progress", "Messages being worked on.", ["actor"]
        )
        # Messages in progress divided by threads are the saturation of a replica.
        self.worker_threads = catalogue.gauge(
            "sirenade_worker_threads", "Threads that take messages from a queue.", ["queue"]
        )

    def _make_loop_metrics(self, catalogue: Catalogue) -> None:
        self.loop_failures = catalogue.counter_by(
            "sirenade_loop_failures", "Turns of a loop that failed.", ["loop"]
        )
        # The health check of a container reads these two: shared/runtime/health.py.
        self.loop_last_turn = catalogue.gauge(
            "sirenade_loop_last_turn_timestamp_seconds",
            "When a loop's last turn ended well; 0: none has yet.",
            ["loop"],
        )
        self.consumer_connected = catalogue.gauge(
            "sirenade_consumer_connected", "1 while the connection to the queue is open.", ["queue"]
        )

    def declare_actor(self, actor: str) -> None:
        """Create an actor's children at zero."""
        for outcome in ACTOR_OUTCOMES:
            self.messages.labels(actor=actor, outcome=outcome)
        self.message_seconds.labels(actor=actor)
        self.message_wait_seconds.labels(actor=actor)
        self.messages_in_progress.labels(actor=actor)
