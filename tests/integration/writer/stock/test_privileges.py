"""A load by the owner of the tables, which a role of its own is."""

from services.writer.stock import command
from services.writer.stock.loader import StockOptions
from tests.role_logins import OWNERS, PRIVILEGES_OF_ALL, RoleLogins, listed


def test_tables_that_a_load_swaps_in_keep_their_privileges(
    role_logins: RoleLogins, stock_files: dict[str, list[str]]
) -> None:
    [url] = role_logins.urls
    before = listed(url, PRIVILEGES_OF_ALL)
    loads = command.load(role_logins.url("migrate"), stock_files["csv"], StockOptions())
    assert {load.way for load in loads} == {"swap"}
    assert listed(url, PRIVILEGES_OF_ALL) == before
    assert listed(url, OWNERS) == [f"{role_logins.prefix}migrate"]
