"""Processes renew the same pages as the command alone, and it notices when they cannot."""

import os
import signal
from typing import Any

import pytest
from psycopg2.errors import CheckViolation

from services.writer.stock import pages
from services.writer.stock.renewers import processes
from shared.errors import UserError
from tests.integration.writer.desk import Desk
from tests.integration.writer.stock.conftest import Stock

_PAGES_AND_AVIS = """
    SELECT p.siret, slug, nom, status, kind, outcome, facts_hash
    FROM pro_localisations p JOIN avis a ON a.pro_localisation_id = p.id
    ORDER BY siret, kind
"""


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a few establishments for many."""
    monkeypatch.setattr(pages, "_PAGE_ROWS", 50)
    monkeypatch.setattr(pages, "_FEW", 0)


def _forget_pages(desk: Desk) -> None:
    desk.execute("TRUNCATE pro_localisations, avis")
    desk.execute("UPDATE stock_loads SET status = 'stored', pages_siret = NULL")


def test_processes_renew_the_pages_that_the_command_alone_renews(
    desk: Desk,
    stock: Stock,
    stock_files: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stock.load(*stock_files["csv"])
    made = desk.execute(_PAGES_AND_AVIS)
    _forget_pages(desk)
    monkeypatch.setattr(pages, "_FEW", 1_000_000)
    stock.load(*stock_files["csv"])
    assert made == desk.execute(_PAGES_AND_AVIS) != []


def test_the_command_ends_with_the_error_that_its_process_met(
    desk: Desk, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    desk.execute("ALTER TABLE avis ADD CONSTRAINT never CHECK (false)")
    with pytest.raises(CheckViolation):
        stock.load(*stock_files["csv"])
    desk.execute("ALTER TABLE avis DROP CONSTRAINT never")
    loads = stock.load(*stock_files["csv"])
    assert {load.status for load in loads} == {"complete"}


def test_the_command_says_that_its_process_was_killed_and_goes_on_when_given_again(
    desk: Desk,
    stock: Stock,
    stock_files: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = processes._Renewer.__init__

    def start_and_kill(renewer: Any, *arguments: Any, **options: Any) -> None:
        start(renewer, *arguments, **options)
        os.kill(renewer._process.pid, signal.SIGKILL)

    with monkeypatch.context() as patched:
        patched.setattr(processes._Renewer, "__init__", start_and_kill)
        with pytest.raises(UserError, match="was ended; the same command goes on"):
            stock.load(*stock_files["csv"])
    assert desk.number("pro_localisations") == 0
    loads = stock.load(*stock_files["csv"])
    assert {load.status for load in loads} == {"complete"}
    assert desk.number("pro_localisations") > 0
