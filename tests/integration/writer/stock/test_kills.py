"""A load that was killed with -9 goes on where it was, and no row is there twice."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from services.writer.pages.pages import renew_many
from services.writer.stock import command, pages, store
from services.writer.stock.renewers import group
from shared.db.leases.keeper import kept
from shared.db.leases.rows import LeaseName
from shared.errors import UserError
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.stock import stoppable_load
from tests.integration.writer.stock.conftest import ESTABLISHMENTS, Stock
from tests.integration.writer.stock.web import Web, serving
from tests.system.conftest import ROOT, wait_for

pytestmark = pytest.mark.usefixtures("left_behind")

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(*places: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", stoppable_load.__name__, database_url, *places]
        started.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait(timeout=10)


@pytest.fixture
def web(stock_files: dict[str, list[str]]) -> Iterator[Web]:
    with serving(Path(stock_files["csv"][0]).read_bytes()) as web:
        yield web


def _gone(desk: Desk) -> bool:
    found = desk.one(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'sirenade-stock'"
        " AND datname = current_database()"
    )
    return bool(found["n"] == 0)


def _kill_while_reading(process: "subprocess.Popen[bytes]", desk: Desk) -> int:
    wait_for(lambda: desk.number("stock_chunks") >= 2, seconds=40, what="two chunks")
    process.kill()
    process.wait(timeout=10)
    wait_for(lambda: _gone(desk), seconds=20, what="its sessions to end")
    return int(desk.number("stock_chunks"))


@pytest.mark.one_role
@pytest.mark.parametrize("way", ["swap", "merge"])
def test_a_load_killed_while_it_reads_goes_on_with_the_next_chunk(
    way: str, start: Start, web: Web, desk: Desk, stock: Stock, records: Records
) -> None:
    if way == "merge":
        desk.import_(records.record(1))
    web.stall = len(web.data) * 2 // 3
    chunks = _kill_while_reading(start(web.url), desk)
    assert desk.number("etablissements") == (way == "merge")
    web.stall = None
    web.going_on.set()
    (load,) = stock.load(web.url, pages=False)
    assert (load.id, load.way, load.rows, load.inserted) == (
        1,
        way,
        ESTABLISHMENTS,
        ESTABLISHMENTS,
    )
    written = desk.execute("SELECT number FROM stock_chunks ORDER BY written_at, number")
    assert len(written) == ESTABLISHMENTS // 50 > chunks
    assert desk.number("etablissements") == ESTABLISHMENTS + (way == "merge")


@pytest.mark.one_role
def test_a_merge_killed_between_two_steps_goes_on_with_the_next(
    start: Start,
    desk: Desk,
    stock: Stock,
    stock_files: dict[str, list[str]],
    records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = stock_files["csv"][1]
    desk.import_(records.record(1))
    # The unit is in the middle of the file; the API brought it long before.
    with open(path, encoding="utf-8") as lines:  # noqa: PTH123  a path as the command has it
        sirens = [line[:9] for line in lines][1:]
    held = sirens[len(sirens) * 2 // 3]
    desk.execute(
        "INSERT INTO unites_legales (siren, statut_diffusion, date_dernier_traitement,"
        " content_hash, fetched_at) VALUES (:siren, 'O', '1999-01-01', '', '1999-01-01')",
        siren=held,
    )
    with desk.engine.begin() as holding:
        holding.execute(
            text("SELECT 1 FROM unites_legales WHERE siren = :siren FOR UPDATE"), {"siren": held}
        )
        process = start(path)
        wait_for(
            lambda: desk.one("SELECT max(merged_blocks) AS n FROM stock_loads")["n"] or False,
            seconds=40,
            what="the first step",
        )
        wait_for(
            lambda: desk.one(
                "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            )["n"],
            seconds=20,
            what="the merge to wait for the row",
        )
        process.kill()
        process.wait(timeout=10)
    wait_for(lambda: _gone(desk), seconds=20, what="its sessions to end")
    before = desk.one("SELECT merged_blocks, inserted FROM stock_loads")
    assert before["merged_blocks"] > 0
    monkeypatch.setattr(store, "_MERGED_BLOCKS", 1)
    (load,) = stock.load(path, pages=False)
    assert (load.inserted, load.updated) == (len(sirens) - 1, 1)
    assert desk.number("unites_legales") == len(sirens) + 1
    assert before["inserted"] < load.inserted


@pytest.mark.slow
def test_a_table_without_wal_that_a_crash_emptied_is_filled_anew(
    engine: Engine, start: Start, web: Web, desk: Desk, stock: Stock, records: Records
) -> None:
    desk.import_(records.record(1))
    web.stall = len(web.data) * 2 // 3
    _kill_while_reading(start(web.url), desk)
    web.stall = None
    web.going_on.set()
    with engine.begin() as connection:
        # The server does this after a crash.
        connection.execute(text("TRUNCATE stock_etablissements"))
    (load,) = stock.load(web.url, pages=False)
    assert (load.id, load.inserted) == (2, ESTABLISHMENTS)


@pytest.mark.one_role
def test_pages_go_on_after_the_last_establishment_that_has_its_own(
    desk: Desk, stock: Stock, stock_files: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_PAGE_ROWS", 100)
    stock.load(*stock_files["csv"], pages=False)
    groups = [list(group) for group in pages.cut_between_unites(desk.sirets(), 100)]
    calls: list[str] = []

    def renew_twice(connection: Connection, sirets: list[str], **options: Any) -> None:
        calls.append(sirets[0])
        if sirets == groups[2] and calls.count(sirets[0]) == 1:
            raise KeyboardInterrupt
        renew_many(connection, sirets, **options)

    monkeypatch.setattr(group, "renew_many", renew_twice)
    with pytest.raises(KeyboardInterrupt):
        stock.load(*stock_files["csv"])
    half = desk.number("pro_localisations")
    reached = {r["pages_siret"] for r in desk.execute("SELECT pages_siret FROM stock_loads")}
    assert reached == {groups[1][-1]}
    del calls[:]
    calls.append(groups[2][0])
    loads = stock.load(*stock_files["csv"])
    assert [load.id for load in loads] == [1, 2]
    assert {load.status for load in loads} == {"complete"}
    again = sorted(group[0] for group in groups[2:])
    assert sorted(calls[1:]) == again, "what was not noted is renewed again"
    assert desk.number("pro_localisations") > half


@pytest.mark.parametrize("by", [[], ["--processes"]], ids=["threads", "processes"])
def test_pages_that_a_kill_interrupts_go_on_and_end_as_without_it(
    by: list[str], start: Start, desk: Desk, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    stock.load(*stock_files["csv"])
    whole = _pages_and_avis(desk)
    desk.execute("TRUNCATE pro_localisations, avis")
    desk.execute("UPDATE stock_loads SET status = 'stored', pages_siret = NULL")
    sirens = [siret[:9] for siret in desk.sirets()]
    held = sirens[len(sirens) * 2 // 3]
    with desk.engine.begin() as holding:
        holding.execute(
            text("SELECT 1 FROM unites_legales WHERE siren = :siren FOR UPDATE"), {"siren": held}
        )
        process = start("--pages", *by, *stock_files["csv"])
        reached = wait_for(
            lambda: desk.one("SELECT max(pages_siret) AS n FROM stock_loads")["n"],
            seconds=40,
            what="the first pages",
        )
        process.kill()
        process.wait(timeout=10)
    wait_for(lambda: _gone(desk), seconds=20, what="its sessions to end")
    before = desk.execute("SELECT siret, id FROM pro_localisations WHERE siret <= :at", at=reached)
    assert 0 < len(before) < len(whole)
    stock.load(*stock_files["csv"])
    assert _pages_and_avis(desk) == whole
    after = desk.execute("SELECT siret, id FROM pro_localisations WHERE siret <= :at", at=reached)
    assert sorted(map(str, after)) == sorted(map(str, before)), "what was noted stays as it is"


def _pages_and_avis(desk: Desk) -> list[dict[str, Any]]:
    return desk.execute("""
        SELECT p.siret, slug, nom, status, kind, outcome, facts_hash
        FROM pro_localisations p JOIN avis a ON a.pro_localisation_id = p.id
        ORDER BY siret, kind
    """)


@pytest.mark.slow
def test_what_an_interrupted_load_left_can_be_dropped(
    database_url: str, start: Start, web: Web, desk: Desk
) -> None:
    web.stall = len(web.data) * 2 // 3
    _kill_while_reading(start(web.url), desk)
    assert command.discard(database_url) == ["etablissements"]
    assert command.discard(database_url) == []
    assert desk.one("SELECT status FROM stock_loads") == {"status": "abandoned"}


def test_a_second_load_at_the_same_time_is_refused(
    engine: Engine, stock: Stock, stock_files: dict[str, list[str]]
) -> None:
    refused = pytest.raises(UserError, match="another stock load is running")
    with kept(engine, LeaseName.STOCK, seconds=1.0), refused:
        stock.load(*stock_files["csv"])
