"""Roles and privileges in one database, as `shared.roles` says (docs/adr/0034-roles.md).

A database that its role `<prefix>migrate` owns has roles. One of another owner has none, and is
left as it is.
"""

from collections.abc import Mapping

import structlog
from psycopg2.extensions import encrypt_password
from sqlalchemy import Connection, text

from shared.errors import UserError
from shared.roles.privileges import OWNER, PRIVILEGES, ROLES
from shared.roles.statements import grants, is_prefix, leave, set_up

log = structlog.get_logger()

_OWNER = text("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
_DATABASE = text("SELECT quote_ident(current_database())")
_SUPERUSERS = text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names) AND rolsuper")
_IS_SUPERUSER = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
_MAY_BECOME = text("SELECT pg_has_role(:owner, 'MEMBER')")
_EXISTING = text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)")
# Only what the owner owns: a table that somebody else keeps in the schema is left alone.
_RELATIONS = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
      AND relowner = CAST(:owner AS regrole)
""")
_FUNCTIONS = text("""
    SELECT proname || '(' || oidvectortypes(proargtypes) || ')' FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proowner = CAST(:owner AS regrole)
""")


def is_superuser(connection: Connection) -> bool:
    """Return whether the session is a superuser's, which may do everything to the whole server."""
    return bool(connection.scalar(_IS_SUPERUSER))


def prefix_of(connection: Connection) -> str | None:
    """Return how the names of this database's roles begin; None where it has no roles."""
    owner = str(connection.scalar(_OWNER))
    prefix = owner.removesuffix(OWNER)
    return prefix if prefix != owner and is_prefix(prefix) else None


def become_owner(connection: Connection) -> None:
    """Let the transaction go on as the owner, so that what it makes is the owner's.

    A database without roles stays as it is. Raises UserError where this session may not.
    """
    prefix = prefix_of(connection)
    if prefix is None:
        return
    owner = prefix + OWNER
    if not connection.scalar(_MAY_BECOME, {"owner": owner}):
        raise UserError(f"this database belongs to {owner}: log in as that role")
    _execute(connection, f"SET LOCAL ROLE {owner}")


def renew_grants(connection: Connection) -> None:
    """Give each role what the table says, and take everything else; the owner's session does it.

    A database without roles stays as it is.
    """
    prefix = prefix_of(connection)
    if prefix is None:
        return
    roles = _existing(connection, prefix)
    if missing := sorted(set(ROLES) - roles):
        log.warning("roles are missing: ./sirenade roles", roles=missing)
    owner = {"owner": prefix + OWNER}
    for statement in grants(
        prefix,
        database=str(connection.scalar(_DATABASE)),
        roles=roles,
        relations=set(connection.scalars(_RELATIONS, owner)),
        functions=set(connection.scalars(_FUNCTIONS, owner)),
    ):
        _execute(connection, statement)


def apply_roles(connection: Connection, prefix: str, passwords: Mapping[str, str]) -> list[str]:
    """Make the roles that are missing, and give this database to its owner; return the new ones.

    `passwords` are by role; a role without one keeps its own. Raises UserError where one of them
    is a superuser, to whom no privilege matters.
    """
    before = _existing(connection, prefix)
    if powerful := connection.scalars(_SUPERUSERS, _names(prefix)).all():
        raise UserError(f"{powerful[0]} is a superuser: choose another prefix, or drop the role")
    for statement in set_up(prefix):
        _execute(connection, statement)
    for role, password in passwords.items():
        _set_password(connection, prefix + role, password)
    _execute(connection, f"SET LOCAL ROLE {prefix}{OWNER}")
    renew_grants(connection)
    _execute(connection, "RESET ROLE")
    _execute(connection, leave(prefix))
    return [role for role in ROLES if role not in before]


def _set_password(connection: Connection, name: str, password: str) -> None:
    """Send the verifier alone: the password stays out of the server's log and statistics."""
    driver = connection.connection.driver_connection
    verifier = encrypt_password(password, name, scope=driver, algorithm="scram-sha-256")
    _execute(connection, f"ALTER ROLE {name} PASSWORD '{verifier}'")


def _execute(connection: Connection, statement: str) -> None:
    # The driver would take a percent sign for a parameter.
    connection.exec_driver_sql(statement.replace("%", "%%"))


def _names(prefix: str) -> dict[str, list[str]]:
    return {"names": [prefix + role for role in PRIVILEGES]}


def _existing(connection: Connection, prefix: str) -> set[str]:
    found = connection.scalars(_EXISTING, _names(prefix))
    return {name.removeprefix(prefix) for name in found}
