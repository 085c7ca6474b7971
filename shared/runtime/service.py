"""The run of a service: the threads of its actors and its loops, until it is told to stop.

A process holds one service; the embedded mode holds several. A loop that fails is logged, counted
and tried again at its next turn: the usual cause is a server that is away.
"""

import errno
import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import dramatiq
import structlog
from prometheus_client import start_http_server
from sqlalchemy import Engine

from shared.backoff import doubling
from shared.broker import BrokerUnavailable, is_consuming, make_broker, ready_messages
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.db.grants import is_superuser
from shared.db.leases.heartbeats import INTERVAL_SECONDS, Heartbeat
from shared.db.revision import require_current
from shared.db.shards import require_shards
from shared.errors import UserError
from shared.logs import configure_logs, name_of, places_of, secrets_of
from shared.metrics import Metrics
from shared.runtime.memory import freeze_objects, return_freed_memory
from shared.runtime.middleware import ActorMetrics
from shared.settings import ServiceSettings

log = structlog.get_logger()

# Longer than any actor runs; a container's stop grace must exceed it.
STOP_GRACE_SECONDS = 60
# A loop goes on soon after an outage, and logs few lines during it.
_MOST_BACKOFF_SECONDS = 15.0
_MORE_PORTS = 50


@dataclass(frozen=True)
class Loop:
    """Work that repeats: `step` runs, then the loop waits `interval_seconds`.

    `end` runs once, when the process stops in good order.
    """

    name: str
    interval_seconds: float
    step: Callable[[], None]
    end: Callable[[], None] | None = None


@dataclass(frozen=True)
class Service:
    """The parts of a service: the queue that its threads consume, and its loops."""

    name: str
    queue: str | None = None
    worker_threads: int = 0
    # Messages that a process takes ahead; None: twice its threads.
    prefetch: int | None = None
    loops: tuple[Loop, ...] = ()


class Running:
    """Services that work on one broker until `stop`."""

    def __init__(
        self, services: Iterable[Service], broker: dramatiq.Broker, clock: Clock, metrics: Metrics
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._workers: list[dramatiq.Worker] = []
        self._threads: list[threading.Thread] = []
        for service in services:
            if service.queue is not None:
                threads = metrics.worker_threads.labels(queue=service.queue)
                threads.set(service.worker_threads)
                worker = dramatiq.Worker(
                    broker,
                    queues={service.queue},
                    worker_threads=service.worker_threads,
                    worker_timeout=200,
                )
                worker.queue_prefetch = service.prefetch or worker.queue_prefetch
                self._workers.append(worker)
                connected = metrics.consumer_connected.labels(queue=service.queue)
                connected.set_function(partial(is_consuming, worker))
            for loop in service.loops:
                metrics.loop_failures.labels(loop=loop.name)
                metrics.loop_last_turn.labels(loop=loop.name)
                metrics.loop_interval.labels(loop=loop.name).set(loop.interval_seconds)
                turn = partial(self._turn, loop)
                self._threads.append(threading.Thread(target=turn, name=loop.name, daemon=True))

    def start(self) -> None:
        for worker in self._workers:
            worker.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let actors finish, return other messages to the queue, end the loops."""
        self._clock.stopping.set()
        for worker in self._workers:
            worker.stop(timeout=STOP_GRACE_SECONDS * 1000)
        for thread in self._threads:
            thread.join(timeout=STOP_GRACE_SECONDS)

    def _turn(self, loop: Loop) -> None:
        failures = 0
        while not self._clock.stopping.is_set():
            failures = 0 if self._is_done(loop, loop.step) else failures + 1
            self._clock.wait(wait_after(failures, loop.interval_seconds))
        if loop.end is not None:
            self._is_done(loop, loop.end)

    def _is_done(self, loop: Loop, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # a loop must outlive any server's absence
            self._metrics.loop_failures.labels(loop=loop.name).inc()
            log.warning("loop failed", loop=loop.name, error=name_of(error), at=places_of(error))
            return False
        last = self._metrics.loop_last_turn.labels(loop=loop.name)
        last.set(self._clock.now().timestamp())
        return True


def wait_after(failures: int, interval_seconds: float) -> float:
    """Return the seconds to a loop's next turn; they grow while a server is away."""
    backed_off_seconds = doubling(interval_seconds, failures, most=_MOST_BACKOFF_SECONDS)
    return max(interval_seconds, backed_off_seconds)


def with_heartbeat(service: Service, engine: Engine, *, version: str) -> Service:
    """Return the service with a loop that says that it runs."""
    heart = Heartbeat(engine, service.name, version)
    loop = Loop(f"{service.name}_heartbeat", INTERVAL_SECONDS, step=heart.beat, end=heart.end)
    return replace(service, loops=(*service.loops, loop))


def serve_metrics(metrics: Metrics, *, host: str, port: int, more_ports: int = 0) -> None:
    """Serve /metrics from a new thread; with port 0, serve nothing.

    Where the port is taken, one of the `more_ports` after it serves. Raises UserError where none is
    free.
    """
    if port == 0:
        return
    try:
        start_http_server(port, addr=host, registry=metrics.registry)
        log.info("metrics are served", port=port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and more_ports:
            serve_metrics(metrics, host=host, port=port + 1, more_ports=more_ports - 1)
            return
        raise UserError(
            f"/metrics cannot listen on {host}:{port} ({error.strerror}): "
            "set SIRENADE_METRICS_PORT to a free port, or to 0 for none"
        ) from None


def warn_of(doubts: Iterable[str]) -> None:
    """Log each address that is asked in clear, or may be."""
    for doubt in doubts:
        log.warning("passwords may be read on the way", doubt=doubt)


def run_service(
    name: str, settings: ServiceSettings, build: Callable[..., Service], *, connections: int = 2
) -> None:
    """Run one service in this process, from its set-up to SIGTERM."""
    return_freed_memory()
    configure_logs(
        name,
        level=settings.log_level,
        directory=settings.log_directory,
        secrets=secrets_of(settings),
    )
    warn_of(settings.doubts)
    clock, metrics = Clock(), Metrics(of={name}, version=settings.version)
    engine = make_engine(
        settings.database_url.get_secret_value(),
        application_name=f"sirenade-{name}",
        pool_size=connections,
    )
    metrics.pools.watch("control", engine)
    with engine.connect() as connection:
        require_current(connection)
        if is_superuser(connection):
            log.warning("logged in as a superuser of PostgreSQL: see ./sirenade roles")
    require_shards(settings)
    broker = make_broker(
        settings.broker_url.get_secret_value(), extra_middleware=[ActorMetrics(metrics)]
    )
    service = build(settings, engine=engine, broker=broker, clock=clock, metrics=metrics)
    if service.queue is not None:
        try:
            ready_messages(broker, service.queue)
        except BrokerUnavailable as error:
            # Its consumers would wait in silence.
            raise UserError(f"the broker does not answer: {error}") from None
    # Several services on one machine need no setting: each takes the next port that is free.
    more_ports = 0 if "metrics_port" in settings.model_fields_set else _MORE_PORTS
    serve_metrics(
        metrics, host=settings.metrics_host, port=settings.metrics_port, more_ports=more_ports
    )
    service = with_heartbeat(service, engine, version=settings.version)
    run_until_stopped(Running([service], broker, clock, metrics), clock)
    broker.close()
    engine.dispose()


def run_until_stopped(running: Running, clock: Clock) -> None:
    """Start, wait for SIGTERM or SIGINT, stop in good order."""

    def ask_to_stop(signal_number: int, _frame: object) -> None:
        log.info("stopping", signal=signal.Signals(signal_number).name)
        clock.stopping.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    freeze_objects()
    running.start()
    log.info("ready")
    # On some platforms a wait without a limit would hold back the signal handlers.
    while not clock.stopping.wait(1.0):
        pass
    running.stop()
    log.info("stopped")
