"""The accounts of people: Argon2 passwords, a lock after failures, passwords for one use."""

import re
import secrets
import threading
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, Engine, text

from services.operator.console.rights import RIGHTS
from shared.errors import UserError

LEAST_PASSWORD, MOST_PASSWORD = 12, 200
_MOST_FAILURES = 5
_LOCKED_MINUTES = 15
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,39}")
# No password has this hash.
_NONE = "!"
# Each hash takes 64 MiB: more at once would end the process.
_HASHES_AT_ONCE = 2

# The failure counts before the password is looked at: many tries at once are not more tries.
_TRY = text("""
    UPDATE console_users SET
      failures = CASE WHEN locked_until IS NULL THEN failures + 1 ELSE 1 END,
      locked_until = CASE WHEN locked_until IS NULL AND failures + 1 >= :most
        THEN now() + make_interval(mins => :minutes) END
    WHERE login = :login AND (locked_until IS NULL OR locked_until <= now())
    RETURNING id, login, role, password_hash, is_one_time
""")
_SUCCEED = text("""
    UPDATE console_users SET failures = 0, locked_until = NULL,
      password_hash = CASE WHEN is_one_time THEN :none ELSE password_hash END,
      is_one_time = false
    WHERE id = :id AND password_hash = :hash RETURNING id
""")
_PUT = text("""
    INSERT INTO console_users (login, password_hash, is_one_time, role)
    VALUES (:login, :hash, true, :role)
    ON CONFLICT (login) DO UPDATE SET password_hash = excluded.password_hash, is_one_time = true,
      role = excluded.role, failures = 0, locked_until = NULL
    WHERE :anew
    RETURNING id
""")
_CHANGE = text("""
    UPDATE console_users SET password_hash = :hash, is_one_time = false WHERE id = :id
""")
_LIST = text("""
    SELECT u.id, u.login, u.role, u.created_at,
           u.locked_until > now() AS is_locked,
           (SELECT count(*) FROM console_sessions s
            WHERE s.user_id = u.id AND s.expires_at > now()) AS sessions
    FROM console_users u ORDER BY u.login
""")
_SET_ROLE = text("UPDATE console_users SET role = :role WHERE login = :login")
_END = text("""
    DELETE FROM console_sessions WHERE user_id IN (SELECT id FROM console_users
      WHERE login = :login)
""")
_REMOVE = text("DELETE FROM console_users WHERE login = :login")
_KNOWN = text("SELECT id, login, role FROM console_users WHERE login = :login")

_hasher = PasswordHasher()
_places = threading.BoundedSemaphore(_HASHES_AT_ONCE)
_nobody = _hasher.hash(secrets.token_urlsafe(16))


class ConsoleAccount(NamedTuple):
    id: int
    login: str
    role: str


class LoggedIn(NamedTuple):
    """An account whose password was right; one for one use is used up now."""

    account: ConsoleAccount
    was_one_time: bool


def authenticate(engine: Engine, login: str, password: str) -> LoggedIn | None:
    """Return who has this password; None where nobody does, and while the account is locked.

    It takes the same time for an account that there is not.
    """
    with engine.begin() as connection:
        tried = connection.execute(
            _TRY, {"login": login, "most": _MOST_FAILURES, "minutes": _LOCKED_MINUTES}
        ).one_or_none()
    is_right = _verify(tried.password_hash if tried else _nobody, password)
    if tried is None or not is_right:
        return None
    values = {"id": tried.id, "hash": tried.password_hash, "none": _NONE}
    with engine.begin() as connection:
        # One of two that use a one-time password at once enters.
        if connection.execute(_SUCCEED, values).one_or_none() is None:
            return None
    return LoggedIn(ConsoleAccount(tried.id, tried.login, tried.role), tried.is_one_time)


def find_account(connection: Connection, login: str) -> ConsoleAccount | None:
    row = connection.execute(_KNOWN, {"login": login}).one_or_none()
    return None if row is None else ConsoleAccount(*row)


def put_account(connection: Connection, login: str, role: str, *, anew: bool = False) -> str:
    """Make an account; return its password, which works once.

    `anew` gives an account that there is another password and this role. Raises UserError.
    """
    if not _LOGIN.fullmatch(login):
        raise UserError("a login has 2 to 40 of a-z, 0-9, '.', '_', '-', and begins with a letter")
    _require_role(role)
    password = secrets.token_urlsafe(15)
    values = {"login": login, "hash": _hash(password), "role": role, "anew": anew}
    if connection.execute(_PUT, values).one_or_none() is None:
        raise UserError(f"there is an account {login}: --anew gives it another password")
    connection.execute(_END, {"login": login})
    return password


def change_password(connection: Connection, account_id: int, password: str) -> None:
    """Raises UserError where the password is too short or too long."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise UserError(f"a password has {LEAST_PASSWORD} to {MOST_PASSWORD} characters")
    connection.execute(_CHANGE, {"id": account_id, "hash": _hash(password)})


def list_accounts(connection: Connection) -> list[dict[str, object]]:
    return [dict(row) for row in connection.execute(_LIST).mappings()]


def set_role(connection: Connection, login: str, role: str) -> None:
    """Give an account a role, which holds from its next request on. Raises UserError."""
    _require_role(role)
    _require_one(connection.execute(_SET_ROLE, {"login": login, "role": role}).rowcount, login)


def end_sessions(connection: Connection, login: str) -> int:
    """End the sessions of an account; return their number. Raises UserError."""
    _require_one(int(find_account(connection, login) is not None), login)
    return connection.execute(_END, {"login": login}).rowcount


def remove_account(connection: Connection, login: str) -> None:
    """Delete an account and its sessions; the journal keeps what it did. Raises UserError."""
    connection.execute(_END, {"login": login})
    _require_one(connection.execute(_REMOVE, {"login": login}).rowcount, login)


def _require_role(role: str) -> None:
    if role not in RIGHTS:
        raise UserError(f"{role!r} is no role: {', '.join(RIGHTS)}")


def _require_one(found: int, login: str) -> None:
    if not found:
        raise UserError(f"there is no account {login}")


def _hash(password: str) -> str:
    with _places:
        return _hasher.hash(password)


def _verify(stored: str, password: str) -> bool:
    if len(password) > MOST_PASSWORD:
        return False
    with _places:
        try:
            return _hasher.verify(_nobody if stored == _NONE else stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
