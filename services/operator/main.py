"""Where the operator reads its environment."""

import dramatiq
from sqlalchemy import Engine

from shared.broker import make_broker
from shared.db.engine import make_engine
from shared.errors import UserError
from shared.settings import DatabaseSettings, ServiceSettings, load


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
