"""The table of roles has a row for every table, column, function, service and queue."""

import ast
import re
import sys

from shared.db.tables import metadata
from shared.messages import FETCH_QUEUE, REVIEW_QUEUE, WRITE_QUEUE
from shared.roles.broker_users import BROKER_USERS
from shared.roles.privileges import FUNCTIONS, PRIVILEGES, ROLES, SERVICES
from tests.lint.source import ROOT, modules

# Alembic keeps its own table, and migrations make the view.
_BESIDE_THE_MODELS = {"alembic_version", "avis_published"}
_COLUMNS = re.compile(r"\(([^)]+)\)")
_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)\(")
_OWN_QUEUES = {"fetcher": FETCH_QUEUE, "writer": WRITE_QUEUE, "reviewer": REVIEW_QUEUE}


def test_every_table_has_its_readers_and_writers() -> None:
    named = {table for privileges in PRIVILEGES.values() for table in privileges}
    assert named - _BESIDE_THE_MODELS == set(metadata.tables), (
        "a new table needs its rows in shared/roles/privileges.py"
    )


def test_every_column_that_is_named_exists() -> None:
    strays = [
        (role, table, column)
        for role, tables in PRIVILEGES.items()
        for table, privileges in tables.items()
        for listed in _COLUMNS.findall(privileges)
        for column in listed.split(", ")
        if column not in metadata.tables[table].columns and column != "xmin"
    ]
    assert strays == []


def test_every_function_of_a_migration_says_who_may_call_it() -> None:
    versions = ROOT / "shared/db/migrations/versions"
    made = {
        name
        for path in versions.iterdir()
        if path.suffix in {".py", ".sql"}
        for name in _FUNCTION.findall(path.read_text("utf-8"))
    }
    assert {function.partition("(")[0] for function in FUNCTIONS} == made


def test_every_service_has_its_role_and_every_consumer_its_user() -> None:
    running = {
        module.name.split(".")[1]
        for module in modules("services")
        if module.path.name == "main.py" and "run_service(" in module.text
    }
    assert set(SERVICES) == running
    assert set(PRIVILEGES) == set(ROLES)
    assert running - {"operator"} == _OWN_QUEUES.keys() <= BROKER_USERS.keys()


def test_every_user_may_consume_its_own_queue() -> None:
    for role, queue in _OWN_QUEUES.items():
        user = BROKER_USERS[role]
        for name in (queue, f"{queue}.XQ", f"{queue}.delay.60s"):
            assert re.search(user.read, name), (role, name)
            assert re.search(user.configure, name), (role, name)
    assert not re.search(BROKER_USERS["reviewer"].read, WRITE_QUEUE)
    assert not re.search(BROKER_USERS["writer"].read, REVIEW_QUEUE)


def test_the_table_of_roles_needs_the_standard_library_alone() -> None:
    """`make init` reads it before anything is installed."""
    imported = {
        name.split(".")[0]
        for module in modules("shared/roles")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
        if not name.startswith("shared.roles")
    }
    assert imported <= sys.stdlib_module_names
