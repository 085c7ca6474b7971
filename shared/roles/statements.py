"""The SQL that makes the roles and gives them their privileges (pure).

`set_up` is for a superuser, or the administrator of a managed server, once. `grants` is for the
owner, after each migration. Both may be repeated.
"""

import re
from collections.abc import Collection, Iterator

from shared.roles.privileges import (
    EXPORTER,
    FUNCTIONS,
    OWNER,
    PRIVILEGES,
    ROLES,
    SEQUENCES,
    TEMPORARY,
)

DEFAULT_PREFIX = "sirenade_"
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,39}")

_MAKE_ROLE = """\
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
    CREATE ROLE {name} LOGIN;
  END IF;
END $$"""
# Sequences of identities follow their tables. `public` is the owner's where the database is.
_OWN = """\
DO $$ DECLARE statement text; BEGIN
  EXECUTE format('ALTER DATABASE %I OWNER TO {owner}', current_database());
  IF 'public'::regnamespace IN (
      SELECT oid FROM pg_namespace WHERE nspowner <> 'pg_database_owner'::regrole) THEN
    ALTER SCHEMA public OWNER TO pg_database_owner;
  END IF;
  FOR statement IN
    SELECT format('ALTER %s %s OWNER TO {owner}',
      CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass)
    FROM pg_class c
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
      AND relowner <> '{owner}'::regrole AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
          AND (d.deptype = 'e' OR relkind = 'S' AND d.deptype IN ('a', 'i')))
    UNION ALL
    SELECT format('ALTER ROUTINE %s OWNER TO {owner}', p.oid::regprocedure)
    FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace AND proowner <> '{owner}'::regrole
      AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE statement;
  END LOOP;
END $$"""
_CLOSE = """\
DO $$ BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END $$"""
# Only a member of a role may give things to it.
_JOIN = """\
DO $$ BEGIN
  IF current_user <> '{owner}' THEN GRANT {owner} TO CURRENT_USER; END IF;
END $$"""
_LEAVE = """\
DO $$ BEGIN
  IF current_user <> '{owner}' THEN REVOKE {owner} FROM CURRENT_USER; END IF;
END $$"""


def is_prefix(text: str) -> bool:
    """Return whether names of roles that begin so need no quotes, and fit."""
    return _PREFIX.fullmatch(text) is not None


def set_up(prefix: str) -> Iterator[str]:
    """Yield the statements that make the roles and let the owner own the database."""
    assert is_prefix(prefix), prefix
    owner = prefix + OWNER
    for role in ROLES:
        yield _MAKE_ROLE.format(name=prefix + role)
    yield f"GRANT pg_monitor TO {prefix}{EXPORTER}"
    yield _JOIN.format(owner=owner)
    yield _OWN.format(owner=owner)
    yield _CLOSE


def leave(prefix: str) -> str:
    """Return the statement with which the session of `set_up` ends."""
    return _LEAVE.format(owner=prefix + OWNER)


def grants(
    prefix: str,
    *,
    database: str,
    roles: Collection[str],
    relations: Collection[str],
    functions: Collection[str],
) -> Iterator[str]:
    """Yield the statements that give the roles that exist what the table says, and nothing else.

    `relations` are the tables, views and sequences that exist, `functions` so, too. `database` is
    quoted.
    """
    names = {role: prefix + role for role in ROLES if role in roles and role != OWNER}
    if not names:
        return
    everyone = ", ".join(names.values())
    yield f"GRANT CONNECT ON DATABASE {database} TO {everyone}"
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    users = [names[role] for role in names if PRIVILEGES[role]]
    yield f"GRANT USAGE ON SCHEMA public TO {', '.join(users)}"
    if relations:
        yield f"REVOKE ALL ON {', '.join(sorted(relations))} FROM {everyone}"
    for granted in (PRIVILEGES, SEQUENCES):
        for role in names.keys() & granted.keys():
            for relation, privileges in granted[role].items():
                # An erasure reaches the twin that an interrupted load of stock files left, too.
                for name in {relation, f"stock_{relation}"} & set(relations):
                    yield f"GRANT {privileges} ON {name} TO {names[role]}"
    for role in names.keys() & set(TEMPORARY):
        yield f"GRANT TEMPORARY ON DATABASE {database} TO {names[role]}"
    yield from _of_functions(names, functions)
    # Tables to come belong to nobody else until they have a row here; functions neither.
    yield "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"


def _of_functions(names: dict[str, str], functions: Collection[str]) -> Iterator[str]:
    everyone = ", ".join(("PUBLIC", *names.values()))
    for function, roles in FUNCTIONS.items():
        if function not in functions:
            continue
        yield f"REVOKE EXECUTE ON FUNCTION {function} FROM {everyone}"
        for role in roles:
            if role == "PUBLIC" or role in names:
                yield f"GRANT EXECUTE ON FUNCTION {function} TO {names.get(role, role)}"
