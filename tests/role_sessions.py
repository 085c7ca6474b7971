"""`pytest --as-roles`: each statement of a service's code runs as the role of the service.

The tests' own statements run as the superuser that they log in as, and commands of people as the
owner. So the tests of a service show what its role lacks. Processes that a test starts are
superusers: a test that goes on with what they made is marked `one_role`.
"""

import re
import sys
from types import FrameType
from typing import Any

from psycopg2.extensions import TRANSACTION_STATUS_INERROR
from sqlalchemy import Connection, Engine, event

from deploy.local.postgres import SUPERUSER, RunningPostgres
from shared.roles.privileges import INDEXER, OWNER, SERVICES

PREFIX = "tests_"
# Commands of people, and what only they call.
_OF_PEOPLE = re.compile(
    r"services\.(\w+\.commands?\b|\w+\.__main__|embedded\b|dispatch\b|writer\.stock\b"
    r"|writer\.erasure\.oppositions|fetcher\.certificates|operator\.archive\.backups|operator\.monitoring"
    r"|operator\.\w+\.(\w+_)?commands?\b|operator\.connections|reviewer\.reviews\.importer"
    r"|reviewer\.money\.(budget\.resume|renewal_rate\.set_renewals_per_day)\b"
    r"|operator\.failures\.letters|portal\.index\.(check|commands)|portal\.webhooks\.(commands|receivers)\b)"
)
_INDEX = ("services.portal.index.", "services.portal.webhooks.")
# They make roles, and fill databases that the owner of the template does not own.
_AS_LOGGED_IN = (
    "services.operator.roles.",
    "services.writer.restore.",
    "services.writer.commands.restore",
    "services.writer.commands.drill",
)


def give_to_owner(postgres: RunningPostgres, database: str) -> None:
    """Let the owner own a copy of the template, as it owns the template."""
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {database} OWNER TO {PREFIX}{OWNER}")


def run_as_roles() -> None:
    event.listen(Engine, "before_cursor_execute", _change_role)


def _change_role(connection: Connection, *_: Any) -> None:
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status == TRANSACTION_STATUS_INERROR:
        # It can only be rolled back.
        return
    if driver.info.user != SUPERUSER:
        # The test logs in as a role of its own.
        return
    role = _role_of(sys._getframe(1))
    with driver.cursor() as cursor:
        cursor.execute("RESET ROLE" if role is None else f"SET ROLE {PREFIX}{role}")


def _role_of(frame: FrameType | None) -> str | None:
    """Return the role of the innermost service on the stack; None for the tests themselves."""
    found = None
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("services."):
            if name.startswith(_AS_LOGGED_IN):
                return None
            if _OF_PEOPLE.match(f"{name}.{frame.f_code.co_name}"):
                return OWNER
            service = INDEXER if name.startswith(_INDEX) else name.split(".")[1]
            found = found or (service if service in {INDEXER, *SERVICES} else None)
        elif name.startswith("tests."):
            # A test's own statement, or a service that a test calls.
            break
        frame = frame.f_back
    return found
