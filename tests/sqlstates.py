"""Errors as PostgreSQL raises them, made without one."""

import psycopg2
from sqlalchemy.exc import DBAPIError


class ServerError(psycopg2.Error):
    """psycopg2 fills in a SQLSTATE from the server's answer only."""

    def __init__(self, code: str, *words: str) -> None:
        super().__init__(*words)
        self.code = code

    @property
    def pgcode(self) -> str:  # type: ignore[override]  # an attribute, which only C can set
        return self.code


def server_error(code: str, *words: str) -> ServerError:
    """Return psycopg2's own error, as from a COPY."""
    return ServerError(code, *words)


def error_with(code: str) -> DBAPIError:
    """Return the error as SQLAlchemy wraps it."""
    return DBAPIError("SELECT 1", None, server_error(code))
