"""`pytest --as-roles`: each statement of a service's code runs as the role of the service.

The tests' own statements run as the superuser that they log in as, and commands of people as the
owner. So the tests of a service show what its role lacks.
"""

import re
import sys
from types import FrameType
from typing import Any

from sqlalchemy import Connection, Engine, event

from shared.roles.privileges import OWNER, SERVICES

PREFIX = "tests_"
# Commands of people, and what only they call.
_OF_PEOPLE = re.compile(
    r"services\.(\w+\.commands?\b|\w+\.__main__|embedded\b|dispatch\b|writer\.stock\b"
    r"|writer\.erasure\.oppositions|fetcher\.certificates|operator\.archive\.backups"
    r"|operator\.\w+\.(\w+_)?commands?\b|operator\.connections|reviewer\.reviews\.importer"
    r"|operator\.failures\.letters)"
)


def run_as_roles() -> None:
    event.listen(Engine, "before_cursor_execute", _change_role)


def _change_role(connection: Connection, *_: Any) -> None:
    driver: Any = connection.connection.driver_connection
    role = _role_of(sys._getframe(1))
    with driver.cursor() as cursor:
        cursor.execute("RESET ROLE" if role is None else f"SET ROLE {PREFIX}{role}")


def _role_of(frame: FrameType | None) -> str | None:
    """Return the role of the innermost service on the stack; None for the tests themselves."""
    found = None
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("services."):
            if _OF_PEOPLE.match(name):
                return OWNER
            service = name.split(".")[1]
            found = found or (service if service in SERVICES else None)
        elif found is not None and name.startswith("tests."):
            break
        frame = frame.f_back
    return found
