import dramatiq
from dramatiq.brokers.stub import StubBroker
from prometheus_client import generate_latest
from sqlalchemy import create_engine
from sqlalchemy.pool import QueuePool

from shared.errors import Rejected
from shared.metrics import Metrics
from shared.runtime.middleware import ActorMetrics


def test_children_exist_at_zero_before_anything_happened() -> None:
    text = generate_latest(Metrics().registry).decode()
    assert 'sirenade_rows_written_total{outcome="inserted"} 0.0' in text
    assert 'sirenade_insee_requests_total{outcome="throttled"} 0.0' in text


def test_two_catalogues_do_not_share_their_numbers() -> None:
    one, other = Metrics(), Metrics()
    one.pages_fetched.inc()
    assert other.registry.get_sample_value("sirenade_pages_fetched_total") == 0


def test_a_process_shows_its_own_part_and_can_count_the_rest() -> None:
    metrics = Metrics(of={"writer"})
    metrics.pages_fetched.inc()
    shown = generate_latest(metrics.registry).decode()
    assert "sirenade_rows_written_total" in shown
    assert "sirenade_pages_fetched" not in shown
    assert "process_resident_memory_bytes" in shown


def test_connections_at_work_are_counted_by_pool_and_each_engine_once() -> None:
    metrics = Metrics(of=set())
    engines = [
        create_engine("sqlite://", poolclass=QueuePool, pool_size=size, max_overflow=0)
        for size in (2, 3, 4)
    ]
    for name, engine in zip(("control", "shards", "shards"), engines, strict=True):
        metrics.pools.watch(name, engine)
    # A shard in the control database has the engine of the control database.
    metrics.pools.watch("shards", engines[0])

    def pools(which: str) -> list[float | None]:
        value = metrics.registry.get_sample_value
        name = f"sirenade_pool_connections_{which}"
        return [value(name, {"pool": pool}) for pool in ("control", "shards")]

    with engines[0].connect(), engines[1].connect(), engines[2].connect():
        assert pools("used") == [1, 2]
    assert pools("used") == [0, 0]
    assert pools("limit") == [2, 7]
    for engine in engines:
        engine.dispose()


def test_an_actor_is_counted_by_what_came_of_its_messages() -> None:
    metrics = Metrics()
    broker = StubBroker(middleware=[ActorMetrics(metrics)])

    def work(fail: bool) -> None:
        if fail:
            raise Rejected

    actor = dramatiq.actor(broker=broker, actor_name="work", queue_name="q")(work)
    actor.send(False)
    actor.send(True)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=10)
    worker.start()
    broker.join("q", fail_fast=False)
    worker.join()
    worker.stop()

    def count(outcome: str) -> float | None:
        return metrics.registry.get_sample_value(
            "sirenade_messages_total", {"actor": "work", "outcome": outcome}
        )

    assert (count("done"), count("rejected")) == (1, 1)
    assert (
        metrics.registry.get_sample_value("sirenade_messages_in_progress", {"actor": "work"}) == 0
    )
