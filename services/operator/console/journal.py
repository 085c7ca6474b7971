"""The journal: who did what through the console, in numbers and codes."""

import datetime as dt
import re
from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.db.tables.console import KEPT_DAYS, SUBJECT

_NOTE = text("""
    INSERT INTO console_actions (login, action, subject) VALUES (:login, :action, :subject)
""")
# Keys come first, so that a page costs the same however long the journal is.
_PAGE = text("""
    SELECT id, login, action, subject, done_at FROM console_actions
    WHERE (CAST(:before AS bigint) IS NULL OR id < :before)
    ORDER BY id DESC LIMIT :limit
""")
_PURGE = text("""
    DELETE FROM console_actions WHERE done_at < now() - make_interval(days => :days)
""")
_PURGE_SESSIONS = text("DELETE FROM console_sessions WHERE expires_at < now()")
_IS_SUBJECT = re.compile(SUBJECT)


class JournalLine(NamedTuple):
    id: int
    login: str
    action: str
    subject: str
    done_at: dt.datetime


def note(connection: Connection, login: str, action: str, subject: str = "") -> None:
    """Note an action in the transaction that does it.

    `action` is the command's name (`failed.retry`); `subject` holds numbers and codes of what it
    is about (`code invalid_date: 2700`), and never a name of the register. Raises ValueError where
    it holds a capital, an accent or markup.
    """
    if not _IS_SUBJECT.fullmatch(subject):
        raise ValueError("the journal holds numbers and codes only")
    connection.execute(_NOTE, {"login": login, "action": action, "subject": subject})


def subject_of(code: str) -> str:
    """Return a code as the journal may have it: lower case, and nothing that a code has not."""
    return re.sub(r"[^a-z0-9_.-]", "_", code.lower())[:60]


def read_journal(connection: Connection, *, before: int | None, limit: int) -> list[JournalLine]:
    """Return the latest lines, or those before the line with this id."""
    rows = connection.execute(_PAGE, {"before": before, "limit": limit})
    return [JournalLine(*row) for row in rows]


def purge_journal(connection: Connection) -> int:
    """Delete lines whose year is over, and sessions that have ended; return their number."""
    lines = connection.execute(_PURGE, {"days": KEPT_DAYS}).rowcount
    return lines + connection.execute(_PURGE_SESSIONS).rowcount
