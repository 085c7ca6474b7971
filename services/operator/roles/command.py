"""`./sirenade roles`: print the SQL of the roles, or make them."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from sqlalchemy import text

from services.operator.connections import all_urls
from services.operator.monitoring.queues import vhost_of_url
from services.operator.roles.management import ManagementApi
from services.operator.roles.printed import as_sql
from services.operator.settings import RoleSettings
from shared.db.engine import temporary_engine
from shared.db.grants import apply_roles
from shared.db.locks import Lock, hold
from shared.errors import UserError
from shared.roles.broker_users import BROKER_USERS
from shared.settings import load
from shared.terminal.cli import say


def roles(
    apply: Annotated[
        bool, typer.Option("--apply", help="Make them, as the superuser of the settings.")
    ] = False,
) -> None:
    """Print the SQL that makes a role for each service, for a person to run; or make them.

    A role without a password in the settings (SIRENADE_WRITER_PASSWORD_FILE) keeps its own. It may
    be repeated. Stop the services before the first time: tables get a new owner.

    Example: ./sirenade roles | psql --single-transaction postgresql://admin@host/sirenade
    """
    settings = load(RoleSettings)
    if apply:
        for line in _make_all(settings):
            say(line)
        return
    for part in as_sql(settings.role_prefix, vhost_of_url(settings.broker_url.get_secret_value())):
        say(*part.split("\n"))


def _make_all(settings: RoleSettings) -> Iterator[str]:
    if not settings.database_url.get_secret_value():
        raise UserError("SIRENADE_DATABASE_URL names no database to make roles in")
    without: set[str] = set()
    urls = all_urls(settings)
    for number, url in enumerate(urls, 1):
        made = _make_in(url, settings)
        without |= {role for role in made if role not in settings.passwords}
        names = ", ".join(settings.role_prefix + role for role in made)
        yield f"database {number} of {len(urls)}: {f'made {names}' if made else 'all were there'}"
    without |= {*_make_users(settings)}
    for role in sorted(without):
        yield (
            f"{settings.role_prefix}{role} has no password yet: "
            f"SIRENADE_{role.upper()}_PASSWORD_FILE"
        )


def _make_in(url: str, settings: RoleSettings) -> list[str]:
    options: dict[str, Any] = {"statement_timeout_seconds": 0, "marked_too": True}
    with (
        temporary_engine(url, application_name="sirenade-roles", **options) as engine,
        engine.begin() as connection,
    ):
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        hold(connection, Lock.MIGRATION)
        return apply_roles(connection, settings.role_prefix, settings.passwords)


def _make_users(settings: RoleSettings) -> Iterator[str]:
    """Make the users of RabbitMQ, if one is named; yield those that lack a password."""
    broker_url = settings.broker_url.get_secret_value()
    if broker_url.startswith("memory:"):
        return
    api = ManagementApi(broker_url, settings.monitor_rabbitmq_url, settings.egress)
    for role, user in BROKER_USERS.items():
        if not api.make(settings.role_prefix + role, user, settings.passwords.get(role)):
            yield role
