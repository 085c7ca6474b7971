"""The whole reviewer in the test's process: relay, actors, generators and store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from services.reviewer.main import build
from services.reviewer.settings import ReviewerSettings
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.metrics import Metrics
from shared.runtime.service import Running

# The price is high: a call that is billed twice, or never, shows in every sum.
PRICE = "{ input_eur_per_million = 1000, output_eur_per_million = 1000 }"


def write_providers(path: Path, base_url: str, **settings: Any) -> Path:
    values = {"name": "local", "base_url": base_url, "model": "m", **settings}
    lines = (f"{name} = {value!r}" for name, value in values.items())
    path.write_text("[[provider]]\n" + "\n".join(lines) + f"\nprice = {PRICE}\n")
    return path


@contextmanager
def whole_reviewer(
    database_url: str, file: Path, metrics: Metrics, *, clock: Clock | None = None, **settings: Any
) -> Iterator[None]:
    """`clock` is the reviewer's; its loops and its broker keep the usual time."""
    values = ReviewerSettings(
        database_url=SecretStr(database_url),
        broker_url=SecretStr("memory://"),
        metrics_port=0,
        avis_providers_file=file,
        **{"reviewer_generators": 20, **settings},
    )
    broker = make_broker("memory://")
    engine = make_engine(database_url, application_name="reviewer", pool_size=2)
    usual = Clock() if clock is None else Clock(stopping=clock.stopping)
    service = build(values, engine=engine, broker=broker, clock=clock or usual, metrics=metrics)
    running = Running([service], broker, usual, metrics)
    running.start()
    try:
        yield
    finally:
        running.stop()
        broker.close()
        engine.dispose()
