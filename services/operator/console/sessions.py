"""The sessions of people: a random token in a cookie, and its digest in the database."""

import datetime as dt
import hashlib
import secrets
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.operator.console.accounts import ConsoleAccount

_MOST_NOTICE = 500

_OPEN = text("""
    INSERT INTO console_sessions (token_hash, user_id, csrf, expires_at)
    VALUES (:hash, :user_id, :csrf, now() + :lasts)
""")
_FIND = text("""
    SELECT u.id, u.login, u.role, s.csrf, s.notice
    FROM console_sessions s JOIN console_users u ON u.id = s.user_id
    WHERE s.token_hash = :hash AND s.expires_at > now()
""")
_TELL = text("UPDATE console_sessions SET notice = :notice WHERE token_hash = :hash")
_END = text("DELETE FROM console_sessions WHERE token_hash = :hash")


class ConsoleSession(NamedTuple):
    """A person who is logged in; `csrf` is in each form, `notice` on the next page."""

    token: str
    account: ConsoleAccount
    csrf: str
    notice: str | None = None


def open_session(
    connection: Connection, account: ConsoleAccount, *, lasts: dt.timedelta
) -> ConsoleSession:
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    values = {"hash": _digest(token), "user_id": account.id, "csrf": csrf, "lasts": lasts}
    connection.execute(_OPEN, values)
    return ConsoleSession(token, account, csrf)


def find_session(connection: Connection, token: str) -> ConsoleSession | None:
    """Return the session; None where it has ended, or never was."""
    row = connection.execute(_FIND, {"hash": _digest(token)}).one_or_none()
    if row is None:
        return None
    return ConsoleSession(token, ConsoleAccount(row.id, row.login, row.role), row.csrf, row.notice)


def tell(connection: Connection, session: ConsoleSession, notice: str | None) -> None:
    """Keep words for the session's next page; None takes them away."""
    shortened = None if notice is None else notice[:_MOST_NOTICE]
    connection.execute(_TELL, {"hash": _digest(session.token), "notice": shortened})


def end_session(connection: Connection, session: ConsoleSession) -> None:
    connection.execute(_END, {"hash": _digest(session.token)})


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
