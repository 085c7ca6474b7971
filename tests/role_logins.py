"""Roles of the tests' PostgreSQL, made as `./sirenade roles --apply` makes them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, make_url, text

from shared.db.grants import apply_roles
from shared.db_url import normalise_url
from shared.roles.privileges import ROLES

PRIVILEGES_OF_ALL = """
    SELECT c.relname || coalesce('.' || a.attname, '') || ' ' || pg_get_userbyid(x.grantee) || ' '
      || x.privilege_type
    FROM pg_class c
    LEFT JOIN LATERAL (
      SELECT NULL AS attname, c.relacl AS acl
      UNION ALL SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid) a ON true,
    LATERAL aclexplode(a.acl) x
    WHERE c.relnamespace = 'public'::regnamespace AND x.grantee NOT IN (0, c.relowner)
    ORDER BY 1
"""
OWNERS = """
    SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
    UNION SELECT pg_get_userbyid(proowner) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
    UNION SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()
"""


class RoleLogins:
    """The roles of some databases, with names that begin with `prefix`."""

    def __init__(self, prefix: str, *urls: str) -> None:
        self.prefix = prefix
        self.urls = urls

    def apply(self) -> list[str]:
        """Make the roles in each database; return those that the first one lacked."""
        passwords = {role: f"{role}'s password" for role in ROLES}
        made = []
        for url in self.urls:
            with _engine(url) as engine, engine.begin() as connection:
                made.append(apply_roles(connection, self.prefix, passwords))
        return made[0]

    def url(self, role: str, number: int = 0) -> str:
        """Return the URL with which the role logs in to a database."""
        parsed = make_url(self.urls[number])
        login = parsed.set(username=self.prefix + role, password=f"{role}'s password")
        return login.render_as_string(hide_password=False)

    def drop(self) -> None:
        """Drop the roles that are there; what the owner had is the superuser's again."""
        found = listed(
            self.urls[0], f"SELECT rolname FROM pg_roles WHERE rolname ^@ '{self.prefix}'"
        )
        names = ", ".join(found)
        for url in self.urls if found else ():
            do(url, f"REASSIGN OWNED BY {names} TO CURRENT_USER", f"DROP OWNED BY {names}")
        if found:
            do(self.urls[0], f"DROP ROLE {names}")


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine(normalise_url(url))
    yield engine
    engine.dispose()


def listed(url: str, query: str) -> list[str]:
    """Return the first column, as the superuser reads it."""
    with _engine(url) as engine, engine.connect() as connection:
        return [str(each) for each in connection.scalars(text(query))]


def do(url: str, *statements: str) -> None:
    with _engine(url) as engine, engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
