"""The revision of a schema, compared with the one that this code expects.

Alembic is not asked: every service would keep it in memory for one number.
"""

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from shared.db.connections.poolers import refuse_pooler
from shared.db.engine import temporary_engine
from shared.errors import UserError

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
# Each script says its revision and the one before it.
_SAID = re.compile(r'^(down_)?revision: .*= "(\d{4})"$', re.MULTILINE)
_IS_THERE = text("SELECT to_regclass('alembic_version') IS NOT NULL")
# The column `actual` is there while a way back is open (shared/db/migrate.py).
_STORED = text("SELECT coalesce(to_jsonb(v) ->> 'actual', version_num) FROM alembic_version AS v")


class NotCurrent(UserError):
    """Raised when a database has another schema than the one that this code expects."""

    def __init__(self, revision: str | None) -> None:
        self.is_newer = revision is not None and revision not in known_revisions()
        super().__init__(
            f"the database schema is at revision {revision}, which this version does not know:"
            " use the version that made it"
            if self.is_newer
            else "the database schema is not current: run ./sirenade migrate"
        )


@functools.cache
def _said() -> tuple[frozenset[str], frozenset[str]]:
    """Return the revisions of the scripts, and those that another one follows."""
    own, followed = set[str](), set[str]()
    for path in _VERSIONS.glob("*.py"):
        for down, number in _SAID.findall(path.read_text(encoding="utf-8")):
            (followed if down else own).add(number)
    return frozenset(own), frozenset(followed)


def known_revisions() -> frozenset[str]:
    return _said()[0]


def head_revision() -> str:
    """Return the revision that no other one follows."""
    own, followed = _said()
    (head,) = own - followed
    return head


def current_revision(connection: Connection) -> str | None:
    """Return the revision of a database, None where it has no schema."""
    if not connection.scalar(_IS_THERE):
        return None
    return connection.execute(_STORED).scalar_one_or_none()


def require_current(connection: Connection) -> str:
    """Return the revision. Raises NotCurrent where it is not the one that this code expects.

    Also where a pooler stands in between that loses the settings of a session.
    """
    refuse_pooler(connection)
    revision = current_revision(connection)
    if revision is None or revision != head_revision():
        raise NotCurrent(revision)
    return revision


@contextmanager
def current_engine(url: str, *, pool_size: int = 1, **options: Any) -> Iterator[Engine]:
    """Connect to a database for a command, with these options of `make_engine`.

    A timeout of 0 means none. Raises UserError where the schema is not current.
    """
    with temporary_engine(url, pool_size=pool_size, **options) as engine:
        with engine.connect() as connection:
            require_current(connection)
        yield engine
