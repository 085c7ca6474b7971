"""Fixtures of the console: it is logged in to PostgreSQL as its own role."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from services.operator.console import accounts
from tests.consoles import RunningConsole, Visitor, running_console
from tests.role_logins import RoleLogins

LogIn = Callable[[str], Visitor]


@pytest.fixture
def console(shard_urls: tuple[str, ...], role_logins: RoleLogins) -> Iterator[RunningConsole]:
    urls = [role_logins.url("console", number) for number in range(len(shard_urls))]
    with running_console(*urls) as console:
        yield console


@pytest.fixture
def log_in(console: RunningConsole, engine: Engine) -> LogIn:
    """Log in somebody new with this role; their login is the role's name."""

    def logged_in(role: str) -> Visitor:
        with engine.begin() as connection:
            password = accounts.put_account(connection, role, role, anew=True)
        visitor = console.visitor()
        assert visitor.log_in(role, password).status == 200
        return visitor

    return logged_in
