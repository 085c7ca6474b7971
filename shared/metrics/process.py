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
        texts = {
            "limit": "Connections to PostgreSQL that this process may hold, by pool.",
            "used": "Connections to PostgreSQL that are at work, by pool.",
        }
        return [
            GaugeMetricFamily(f"sirenade_pool_connections_{which}", text, labels=["pool"])
            for which, text in texts.items()
        ]


class ProcessMetrics:
    def _add_process(self, new: Catalogue, registry: CollectorRegistry, version: str) -> None:
        self.messages = new.counter(
            "sirenade_messages", "Messages by actor and by what came of them.", "actor", "outcome"
        )
        self.message_seconds = new.histogram(
            "sirenade_message_seconds", "Run time of an actor.", "actor"
        )
        # A message that comes again after a failure waits since its first publication.
        self.message_wait_seconds = new.histogram(
            "sirenade_message_wait_seconds",
            "Time from a message's first publication to its run.",
            "actor",
            buckets=MESSAGE_BUCKETS,
        )
        self.messages_in_progress = new.gauge(
            "sirenade_messages_in_progress", "Messages being worked on.", "actor"
        )
        # Messages in progress divided by threads are the saturation of a replica.
        self.worker_threads = new.gauge(
            "sirenade_worker_threads", "Threads that take messages from a queue.", "queue"
        )
        self.loop_failures = new.counter(
            "sirenade_loop_failures", "Turns of a loop that failed.", "loop"
        )
        # It is 0 while none is: a message that is worked on for hours holds up its replica.
        self.message_oldest_start = new.gauge(
            "sirenade_message_oldest_start_timestamp_seconds",
            "When the run of the oldest message in progress began; 0: none is.",
            "actor",
        )
        self.loop_interval = new.gauge(
            "sirenade_loop_interval_seconds", "Pause between two turns of a loop.", "loop"
        )
        # The health check of a container reads these: shared/runtime/health.py.
        self.loop_last_turn = new.gauge(
            "sirenade_loop_last_turn_timestamp_seconds",
            "When a loop's last turn ended well; 0: none has yet.",
            "loop",
        )
        self.consumer_connected = new.gauge(
            "sirenade_consumer_connected", "1 while the connection to the queue is open.", "queue"
        )
        # It is always 1; another version shows a deployment.
        build = new.gauge("sirenade_build_info", "What this process runs.", "version")
        build.labels(version=version).set(1)
        self.pools = PoolCollector()
        registry.register(self.pools)
        # It adds memory, processor seconds, open files and start time under their usual names.
        ProcessCollector(registry=registry)

    def declare_actor(self, actor: str) -> None:
        """Create an actor's children at zero."""
        for outcome in ACTOR_OUTCOMES:
            self.messages.labels(actor=actor, outcome=outcome)
        self.message_seconds.labels(actor=actor)
        self.message_wait_seconds.labels(actor=actor)
        self.messages_in_progress.labels(actor=actor)
        self.message_oldest_start.labels(actor=actor)
