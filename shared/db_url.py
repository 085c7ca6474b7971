"""URLs of databases: their spelling and their address, without a connection."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import UserError

DRIVER = "postgresql+psycopg2"


def normalise_url(url: str) -> URL:
    """Return the URL with our driver; SQLAlchemy 2.1 would pick another one for a bare scheme.

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
    # The driver would name the rest of the password as a host that it does not find.
    if "@" in f"{parsed.host} {parsed.database}":
        raise UserError(
            "the database URL has more than one @: write %40 for each one in the password"
        )
    return parsed.set(drivername=DRIVER)


def database_address(url: str | URL) -> tuple[str | None, int, str | None]:
    """Return host, port and name: equal for two URLs of one database. Raises UserError."""
    parsed = normalise_url(url) if isinstance(url, str) else url
    return parsed.host, parsed.port or 5432, parsed.database


def with_login_of(control: str, url: str) -> str:
    """Return the URL; one that names no user gets the login of the control database's URL."""
    parsed = normalise_url(url)
    if parsed.username is not None:
        return url
    login = normalise_url(control)
    completed = parsed.set(username=login.username, password=login.password)
    return completed.render_as_string(hide_password=False)
