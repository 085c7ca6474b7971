"""A reviewer or a whole service at work, in the test's process or in one of its own."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dramatiq
import pytest
from pydantic import SecretStr

from services.reviewer.__main__ import app
from services.reviewer.actors import ShardReviewer
from services.reviewer.main import build
from services.reviewer.settings import ReviewerSettings
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.metrics import Metrics
from shared.runtime.service import Running, Service
from shared.terminal.cli import run

if TYPE_CHECKING:
    from tests.integration.reviewer.conftest import Register


MakeReviewer = Callable[..., ShardReviewer]
Finished = subprocess.CompletedProcess[str]

_ROOT = Path(__file__).parents[3]
# The price is high: a call that is billed twice, or never, shows in every sum.
_PRICE = "{ input_eur_per_million = 1000, output_eur_per_million = 1000 }"


def write_providers(path: Path, base_url: str, **settings: Any) -> Path:
    values = {"name": "local", "base_url": base_url, "model": "m", **settings}
    lines = (f"{name} = {value!r}" for name, value in values.items())
    path.write_text("[[provider]]\n" + "\n".join(lines) + f"\nprice = {_PRICE}\n")
    return path


@contextmanager
def at_work(
    service: Service, broker: dramatiq.Broker, clock: Clock, metrics: Metrics
) -> Iterator[None]:
    running = Running([service], broker, clock, metrics)
    running.start()
    try:
        yield
    finally:
        running.stop()


@contextmanager
def reviewer_at_work(
    database_url: str, metrics: Metrics, *, clock: Clock | None = None, **settings: Any
) -> Iterator[Service]:
    """Run the whole service over a broker of its own.

    `clock` is the reviewer's; its loops and its broker keep the usual time.
    """
    values = ReviewerSettings(
        database_url=SecretStr(database_url),
        broker_url=SecretStr("memory://"),
        metrics_port=0,
        **settings,
    )
    broker = make_broker("memory://")
    engine = make_engine(database_url, application_name="reviewer", pool_size=2)
    usual = Clock() if clock is None else Clock(stopping=clock.stopping)
    service = build(values, engine=engine, broker=broker, clock=clock or usual, metrics=metrics)
    try:
        with at_work(service, broker, usual, metrics):
            yield service
    finally:
        broker.close()
        engine.dispose()


def nothing_pending(register: "Register") -> bool:
    return register.rows("SELECT 1 FROM avis WHERE outcome = 'pending' LIMIT 1") == []


def start_reviewer(
    database_url: str, rabbitmq_url: str, providers: Path, **settings: str
) -> "subprocess.Popen[bytes]":
    """Start a process that a test may kill: its lease is short."""
    environment = {
        "PYTHONPATH": str(_ROOT),
        "SIRENADE_DATABASE_URL": database_url,
        "SIRENADE_BROKER_URL": rabbitmq_url,
        "SIRENADE_METRICS_PORT": "0",
        "SIRENADE_AVIS_PROVIDERS_FILE": str(providers),
        "SIRENADE_REVIEWER_LEASE_SECONDS": "8",
        "SIRENADE_REVIEWER_STALL_SECONDS": "15",
        **settings,
    }
    command = [sys.executable, "-m", "services.reviewer", "run"]
    return subprocess.Popen(command, cwd=_ROOT, env={**os.environ, **environment})


def run_command(database_url: str, *arguments: str) -> Finished:
    """Run `./sirenade` with these arguments within this process: to start one takes a second."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
        patched.setenv("SIRENADE_DATABASE_URL", database_url)
        patched.setenv("COLUMNS", "120")
        patched.setattr(sys, "argv", ["sirenade", *arguments])
        with pytest.raises(SystemExit) as ended:
            run(app, name="sirenade")
    assert isinstance(ended.value.code, int | None)
    return Finished(arguments, ended.value.code or 0, out.getvalue(), err.getvalue())
