"""A paused run fetches nothing and loses nothing; a cancelled one is over for good."""

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from services.fetcher.insee.quota import Slot
from shared.errors import UserError
from shared.imports import halts
from shared.imports.held import read_held
from shared.imports.orders import order_delta
from shared.imports.progress import read_progress
from shared.imports.runs import read_run
from shared.imports.scope import Scope
from shared.imports.treatments import COLLECTIONS, TreatmentWindow
from shared.imports.watermarks import record_windows, set_watermark, settle_windows
from shared.sirene.values import paris_time
from tests.integration.fetcher.conftest import Fetcher, MakeFetcher, StartInsee
from tests.integration.fetcher.daily import a_day, daily, written


def _pause(fetcher: Fetcher, run_id: int = 1) -> bool:
    with fetcher.engine.begin() as connection:
        return halts.pause(connection, run_id, by="Ada", reason="the writer is moved")


def _resume(fetcher: Fetcher, run_id: int = 1) -> bool:
    with fetcher.engine.begin() as connection:
        return halts.resume(connection, run_id)


def _cancel(fetcher: Fetcher, run_id: int = 1) -> bool:
    with fetcher.engine.begin() as connection:
        return halts.cancel(connection, run_id, by="Ada", reason="the wrong place")


def _turn(fetcher: Fetcher) -> None:
    for _ in range(3):
        fetcher.planner.turn()
        fetcher.sweeper.turn()
        fetcher.walk_to_the_end()


def test_a_paused_run_costs_no_quota_and_ends_whole_once_it_goes_on(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=500)
    fetcher = make_fetcher(insee, rows_per_page=100)
    fetcher.plan("33")
    fetcher.walker.fetch_page(fetcher.outbox.pages.pop(0))
    assert _pause(fetcher)
    requests = insee.quota()["requests"]
    _turn(fetcher)
    # The queue has lost the slices of the page, too.
    fetcher.execute("UPDATE import_pages SET moved_at = '-infinity'")
    _turn(fetcher)
    assert insee.quota()["requests"] == requests
    with fetcher.engine.connect() as connection:
        progress = read_progress(connection)
        (paused,) = progress.paused
        run = read_run(connection, 1)
    assert (paused["by"], paused["because"]) == ("Ada", "the writer is moved")
    assert run is not None
    assert (run.state, run.halted_by, run.eta_seconds) == ("paused", "Ada", None)
    assert progress.is_idle

    assert _resume(fetcher)
    fetcher.execute("UPDATE import_pages SET moved_at = '-infinity'")
    _turn(fetcher)
    sirets = fetcher.outbox.sirets()
    assert len(sirets) == len(set(sirets)) == 500


def test_a_run_that_goes_on_at_once_needs_no_wait_for_the_sweeper(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=500), rows_per_page=100)
    fetcher.plan("33")
    _pause(fetcher)
    fetcher.walk_to_the_end()
    _resume(fetcher)
    fetcher.sweeper.turn()
    assert len(fetcher.outbox.pages) == 1


def test_a_paused_run_is_not_planned_and_holds_up_no_other(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=1000))
    fetcher.order_departements("33")
    _pause(fetcher)
    fetcher.order_departements("24")
    _turn(fetcher)
    assert fetcher.execute("SELECT id, status FROM import_runs ORDER BY id") == [
        (1, "pending"),
        (2, "running"),
    ]
    assert {each.batch_id for each in fetcher.outbox.slices} == {1}


def test_batches_of_a_paused_run_take_no_room(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=1000))
    fetcher.plan("33")
    fetcher.execute(
        "INSERT INTO import_batches (run_id, number, query, status)"
        " SELECT 1, n, '', 'running' FROM generate_series(2, 4) n"
    )
    _pause(fetcher)
    fetcher.order_departements("24")
    _turn(fetcher)
    assert fetcher.value("SELECT count(*) FROM import_pages p JOIN import_batches b ON b.id ="
                         " p.batch_id WHERE b.run_id = 2") == 1  # fmt: skip


def test_a_pause_amid_the_counts_of_a_plan_stops_the_counts(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24", "40"), establishments=900)
    fetcher = make_fetcher(insee)
    fetcher.order_departements("33", "24", "40")
    count = fetcher.planner.count

    def pause_then_count(query: str) -> int:
        _pause(fetcher)
        return count(query)

    object.__setattr__(fetcher.planner, "count", pause_then_count)
    fetcher.planner.turn()
    # /informations, and the count that was under way.
    assert insee.quota()["requests"] == 2
    assert fetcher.value("SELECT status FROM import_runs") == "pending"
    object.__setattr__(fetcher.planner, "count", count)
    _resume(fetcher)
    fetcher.store.wake_everything()
    fetcher.planner.turn()
    assert fetcher.value("SELECT status FROM import_runs") == "running"


def test_a_page_that_waits_for_its_slot_gives_it_back_where_the_run_was_paused(
    start_insee: StartInsee, make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    insee = start_insee(establishments=300)
    fetcher = make_fetcher(insee, rows_per_page=100)
    fetcher.plan("33")
    requests, take = insee.quota()["requests"], fetcher.quota.take

    def take_and_pause(**wanted: Any) -> Slot:
        slot = take(**wanted)
        _pause(fetcher)
        return slot

    monkeypatch.setattr(fetcher.quota, "take", take_and_pause)
    fetcher.walk_to_the_end()
    assert insee.quota()["requests"] == requests
    assert fetcher.value("SELECT count(*) FROM insee_requests WHERE batch_id IS NOT NULL") == 0
    assert fetcher.value("SELECT starts FROM import_pages") == 0


def test_a_paused_daily_import_keeps_its_share(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=1000), rows_per_page=100)
    run_id = daily(fetcher, 300, "33")
    fetcher.planner.turn()
    fetcher.walker.fetch_page(fetcher.outbox.pages.pop(0))
    _pause(fetcher, run_id)
    fetcher.walk_to_the_end()
    written(fetcher.engine)
    _resume(fetcher, run_id)
    assert a_day(fetcher) == 300


def test_a_cancelled_run_ends_its_batches_and_its_pages(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24"), establishments=1000)
    fetcher = make_fetcher(insee, rows_per_page=100)
    fetcher.plan("33", "24")
    fetcher.walker.fetch_page(fetcher.outbox.pages[0])
    requests = insee.quota()["requests"]
    assert _cancel(fetcher)
    _turn(fetcher)
    assert insee.quota()["requests"] == requests
    assert fetcher.outbox.pages == []
    statuses = "SELECT DISTINCT status, completed_at IS NOT NULL FROM"
    assert fetcher.execute(f"{statuses} import_batches") == [("cancelled", True)]
    assert fetcher.execute(f"{statuses} import_runs") == [("cancelled", True)]
    with fetcher.engine.connect() as connection:
        progress, run = read_progress(connection), read_run(connection, 1)
    assert progress.is_idle
    assert (progress.runs_open, progress.expected) == (0, progress.received)
    assert run is not None
    assert (run.state, run.halted_by, run.halted_because) == ("cancelled", "Ada", "the wrong place")


def test_a_run_cancelled_amid_a_get_publishes_nothing_of_it(
    start_insee: StartInsee, make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher = make_fetcher(start_insee(establishments=300), rows_per_page=100)
    fetcher.plan("33")
    save = fetcher.pages.save_page

    def cancel_then_save(*saved: Any) -> bool:
        _cancel(fetcher)
        return save(*saved)

    monkeypatch.setattr(fetcher.pages, "save_page", cancel_then_save)
    fetcher.walk_to_the_end()
    assert fetcher.outbox.slices == []
    assert fetcher.value("SELECT records FROM import_pages") is None


def test_a_run_that_is_over_is_not_halted_and_a_cancelled_one_not_resumed(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=300))
    fetcher.order_departements("33")
    assert _pause(fetcher)
    assert not _pause(fetcher)
    assert _resume(fetcher)
    assert not _resume(fetcher)
    assert _cancel(fetcher)
    assert not _cancel(fetcher)
    for order in (_pause, _resume):
        with pytest.raises(UserError, match="run 1 was cancelled"):
            order(fetcher)
    fetcher.execute("UPDATE import_runs SET status = 'complete'")
    for order in (_pause, _resume, _cancel):
        with pytest.raises(UserError, match="run 1 is complete"):
            order(fetcher)
    with pytest.raises(UserError, match="there is no run 7"):
        _pause(fetcher, 7)


def test_a_plan_or_a_failure_that_comes_late_opens_no_cancelled_run(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=300))
    fetcher.order_departements("33")
    count = fetcher.planner.count

    def cancel_then_count(query: str) -> int:
        _cancel(fetcher)
        return count(query)

    object.__setattr__(fetcher.planner, "count", cancel_then_count)
    fetcher.planner.turn()
    fetcher.store.fail_run(1, "INSEE refuses it")
    assert fetcher.execute("SELECT status, error FROM import_runs") == [("cancelled", None)]
    assert fetcher.value("SELECT count(*) FROM import_batches") == 0


def test_a_cancelled_delta_moves_no_watermark_and_lets_the_next_one_begin(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=100))
    before, after = paris_time("2026-08-01"), paris_time("2026-08-02")
    with fetcher.engine.begin() as connection:
        for collection in COLLECTIONS:
            set_watermark(connection, collection, before)
        run_id = order_delta(connection)
        connection.execute(text("UPDATE import_runs SET status = 'running'"))
        record_windows(
            connection, run_id, [TreatmentWindow(each, before, after, None) for each in COLLECTIONS]
        )
        # The batches of one collection have all ended.
        connection.execute(
            text(
                "INSERT INTO import_batches (run_id, number, query, collection, status) VALUES"
                " (1, 1, '', 'etablissements', 'complete'), (1, 2, '', 'unites_legales', 'running')"
            )
        )
        halts.cancel(connection, run_id, by="Ada", reason="too dear")
        order_delta(connection)
        assert settle_windows(connection) == []
    leased = fetcher.store.lease_pending_run(lease_seconds=60)
    assert leased is not None
    assert leased.run_id == 2


def test_a_cancelled_scope_is_no_longer_held(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=100))
    fetcher.order_departements("33")
    fetcher.order_departements("24")
    _cancel(fetcher)
    with fetcher.engine.connect() as connection:
        assert read_held(connection) == [Scope(departements=["24"], communes=[], activites=[],
                                               sirets=[])]  # fmt: skip


def test_a_process_killed_before_the_commit_leaves_the_run_as_it_was(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    """PostgreSQL sees the same where the process of the order is killed."""
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=500))
    fetcher.plan("33", "24")
    for order in (halts.pause, halts.cancel):
        before = fetcher.execute("SELECT * FROM import_runs") + fetcher.execute(
            "SELECT * FROM import_batches ORDER BY id"
        )
        with suppress(Exception), fetcher.engine.connect() as connection:
            order(connection, 1, by="Ada", reason="a kill")
            own = connection.scalar(text("SELECT pg_backend_pid()"))
            fetcher.execute("SELECT pg_terminate_backend(:pid)", pid=own)
            connection.commit()
        after = fetcher.execute("SELECT * FROM import_runs") + fetcher.execute(
            "SELECT * FROM import_batches ORDER BY id"
        )
        assert after == before
