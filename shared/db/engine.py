"""One way to reach PostgreSQL: named, bounded, with time limits on the server's side."""

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import UserError

DRIVER = "postgresql+psycopg2"


def normalise_url(url: str) -> URL:
    """Accept the usual spellings; SQLAlchemy 2.1 would pick another driver for a bare scheme.

    Raises UserError, without the URL: it holds a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UserError(
            "the database URL cannot be read: postgresql://user@host:port/name"
        ) from None
    if parsed.drivername.split("+")[0] not in {"postgresql", "postgres"}:
        raise UserError("the database URL must begin with postgresql://")
    return parsed.set(drivername=DRIVER)


def place_of(url: str | URL) -> tuple[str | None, int, str | None]:
    """Host, port and name: the same for two URLs of one database. Raises UserError."""
    parsed = normalise_url(url) if isinstance(url, str) else url
    return parsed.host, parsed.port or 5432, parsed.database


def make_engine(
    url: str,
    *,
    application_name: str,
    pool_size: int = 2,
    statement_timeout_seconds: int = 60,
) -> Engine:
    """Make an engine whose connections end what hangs: statements, locks, idle transactions."""
    settings = {
        "statement_timeout": f"{statement_timeout_seconds}s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
    }
    return create_engine(
        normalise_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        # Parameters are names and texts: they have no place in an error's message.
        hide_parameters=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
