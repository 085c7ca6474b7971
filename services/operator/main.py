"""Puts the operator together; the only module of it that reads the environment."""

import dramatiq
from sqlalchemy import Engine

from services.operator.jobs import make_jobs
from services.operator.loops import Scheduler
from services.operator.settings import OperatorSettings
from shared.broker import make_broker
from shared.clock import Clock
from shared.db.engine import make_engine
from shared.errors import UserError
from shared.metrics import Metrics
from shared.service import Loop, Service, run_service
from shared.settings import DatabaseSettings, ServiceSettings, load

_TURN_SECONDS = 15


def open_engine(*, statement_timeout_seconds: int = 60) -> Engine:
    """One connection; a timeout of 0 is for what reads whole tables."""
    settings = load(DatabaseSettings)
    return make_engine(
        settings.database_url.get_secret_value(),
        application_name="sirenade-operator",
        pool_size=1,
        statement_timeout_seconds=statement_timeout_seconds,
    )


def open_broker() -> dramatiq.Broker:
    url = load(ServiceSettings).broker_url.get_secret_value()
    if url.startswith("memory:"):
        raise UserError("nobody can publish to a memory:// broker from another process")
    return make_broker(url)


def build(
    settings: OperatorSettings,
    *,
    engine: Engine,
    broker: dramatiq.Broker,
    clock: Clock,
    metrics: Metrics,
) -> Service:
    """Return what fires the jobs; they order work in PostgreSQL, and nothing of the broker."""
    del broker
    scheduler = Scheduler(engine, make_jobs(settings), clock, metrics)
    return Service(
        name="operator",
        loops=(Loop("scheduler", interval_seconds=_TURN_SECONDS, step=scheduler.turn),),
    )


def main() -> None:
    run_service("operator", load(OperatorSettings), build)
