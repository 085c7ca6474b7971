"""Databases for a trial: made on a server, entered by their owner alone, and dropped."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from shared.db.engine import temporary_engine
from shared.db.server_copies import prevent
from shared.db_url import normalise_url

# A name of PostgreSQL has 63 bytes.
_MOST_CHARACTERS = 40
_MARK = "_restore_drill_"
_FIND = text("""
    SELECT datname FROM pg_database WHERE starts_with(datname, :beginning) ORDER BY datname
""")


class ScratchServer:
    """The server of the trial's databases; their names begin with that of the live one."""

    def __init__(self, server_url: str, live_url: str) -> None:
        self._url = normalise_url(server_url)
        name = normalise_url(live_url).database or ""
        self._beginning = f"{name[:_MOST_CHARACTERS]}{_MARK}"

    def make(self, count: int) -> list[str]:
        """Make empty databases, and return their URLs. It drops what a killed trial has left."""
        self.drop()
        urls = []
        for number in range(count):
            name = f"{self._beginning}{number}"
            with self._connected() as connection:
                connection.exec_driver_sql(
                    f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'"
                )
                # People's data comes after this.
                connection.exec_driver_sql(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            urls.append(self._url.set(database=name).render_as_string(hide_password=False))
            with self._connected(urls[-1]) as connection:
                prevent(connection)
        return urls

    def drop(self) -> list[str]:
        """Drop the databases of every trial of this installation, and return their names."""
        with self._connected() as connection:
            names = connection.scalars(_FIND, {"beginning": self._beginning}).all()
            for name in names:
                connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        return list(names)

    @contextmanager
    def _connected(self, url: str | None = None) -> Iterator[Connection]:
        at = url or self._url.render_as_string(hide_password=False)
        options: dict[str, Any] = {"statement_timeout_seconds": 0, "pool_size": 1}
        with (
            temporary_engine(at, application_name="sirenade-drill", **options) as engine,
            engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        ):
            yield connection
