"""The walk over a real simulator and a real database, queues replaced by lists."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from services.fetcher.deltas import Draft
from services.fetcher.windows import PlannedBatch, Window
from shared.broker.errors import QueueFull
from shared.errors import SlowDown
from shared.messages import RECORDS_PER_SLICE, FetchPage
from tests.integration.fetcher.conftest import Fetcher, Insee

StartInsee = Callable[..., Insee]
MakeFetcher = Callable[..., Fetcher]


def value(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar()


def test_a_walk_publishes_every_row_once_in_the_order_of_siret(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=1500)
    fetcher = make_fetcher(insee, rows_per_page=400)
    fetcher.request_import("33")
    fetcher.planner.turn()
    fetcher.walk_to_the_end()

    sirets = fetcher.outbox.sirets()
    assert len(sirets) == 1500
    assert sirets == sorted(set(sirets))
    # The plan's count, then 400 + 400 + 400 + 300: the total ends the walk, the empty page is
    # not asked for.
    assert insee.quota()["requests"] == 1 + 4
    assert value(fetcher.engine, "SELECT expected FROM import_batches") == 1500


def test_a_limit_is_met_exactly_and_shared_out_to_several_windows(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24"), establishments=1000)
    fetcher = make_fetcher(insee, rows_per_page=300)
    fetcher.request_import("33", "24", row_limit=700)
    fetcher.planner.turn()
    fetcher.walk_to_the_end()

    assert value(fetcher.engine, "SELECT sum(expected) FROM import_batches") == 700
    assert value(fetcher.engine, "SELECT sum(records) FROM import_pages") == 700


def test_a_window_without_rows_is_one_empty_slice(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33",)))
    fetcher.request_import("75")
    fetcher.planner.turn()
    fetcher.walk_to_the_end()

    assert [each.records for each in fetcher.outbox.slices] == ["[]"]
    assert value(fetcher.engine, "SELECT is_last FROM import_pages") is True
    assert value(fetcher.engine, "SELECT expected FROM import_batches") == 0


def test_a_stale_page_message_costs_no_quota(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=50)
    fetcher = make_fetcher(insee)
    fetcher.request_import("33")
    fetcher.planner.turn()
    message = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    with fetcher.engine.begin() as connection:
        connection.execute(text("UPDATE import_pages SET slices_done = slices_expected"))

    requests = insee.quota()["requests"]
    fetcher.walker.fetch_page(message)

    assert insee.quota()["requests"] == requests


def test_a_page_whose_slices_were_not_written_is_fetched_again_under_a_new_fetch_id(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=RECORDS_PER_SLICE + 150))
    fetcher.request_import("33")
    fetcher.planner.turn()
    message = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    first = fetcher.outbox.slices[0].fetch_id
    # One of its two slices was written before the queue lost the other.
    with fetcher.engine.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO slice_receipts (batch_id, page, fetch_id, slice, records, sirets)
                VALUES (:batch, 1, :fetch, 0, :records, '{}')
            """),
            {"batch": message.batch_id, "fetch": first, "records": RECORDS_PER_SLICE},
        )
        connection.execute(text("UPDATE import_pages SET slices_done = 1"))
        received = "UPDATE import_batches SET received = :records"
        connection.execute(text(received), {"records": RECORDS_PER_SLICE})

    fetcher.walker.fetch_page(message)

    again = {each.fetch_id for each in fetcher.outbox.slices} - {first}
    assert again == {value(fetcher.engine, "SELECT fetch_id FROM import_pages")}
    assert value(fetcher.engine, "SELECT slices_done FROM import_pages") == 0
    # The receipt of the first GET no longer counts.
    assert value(fetcher.engine, "SELECT received FROM import_batches") == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"next_429": 1},
        {"next_errors": 1, "error_status": 503},
        {"next_errors": 1, "error_status": 500},
        {"next_cut": 1},
        {"next_truncated": 1},
        {"next_html": 1},
        {"next_empty": 1},
    ],
    ids=str,
)
def test_a_fault_delays_a_page_and_fails_nothing(
    fault: dict[str, object], start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=300)
    fetcher = make_fetcher(insee)
    fetcher.request_import("33")
    fetcher.planner.turn()
    insee.set_faults(**fault)
    fetcher.walk_to_the_end()
    assert fetcher.outbox.slices == []
    assert value(fetcher.engine, "SELECT status FROM import_batches") == "running"
    assert value(fetcher.engine, "SELECT lease_until > now() FROM import_pages") is True

    with fetcher.engine.begin() as connection:  # the delay is over
        connection.execute(text("UPDATE import_pages SET lease_until = now()"))
        connection.execute(text("UPDATE quota SET paused_until = NULL"))
    fetcher.sweeper.turn()
    fetcher.walk_to_the_end()

    assert len(fetcher.outbox.sirets()) == 300
    # The count and each attempt took a slot of their own: none was repeated behind our back.
    assert insee.quota()["requests"] == 1 + 2
    assert value(fetcher.engine, "SELECT count(*) FROM insee_requests") == 1 + 2


def test_a_429_holds_back_every_replica_at_once(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=300, rate_headers=False)
    throttled, other = make_fetcher(insee), make_fetcher(insee)
    throttled.request_import("33")
    throttled.planner.turn()
    insee.set_faults(next_429=1)
    throttled.walk_to_the_end()

    paused = "SELECT extract(epoch FROM paused_until - now()) FROM quota"
    assert value(other.engine, paused) > 5
    waiting = threading.Thread(
        target=lambda: other.quota.take(batch_id=None, page=None, patience_seconds=20), daemon=True
    )
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive(), "another replica was granted a slot during the pause"
    with other.engine.begin() as connection:
        connection.execute(text("UPDATE quota SET paused_until = NULL"))
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_refused_query_fails_its_batch_and_is_not_sent_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee()
    fetcher = make_fetcher(insee)
    fetcher.request_import("33")
    fetcher.planner.turn()
    with fetcher.engine.begin() as connection:
        connection.execute(text("UPDATE import_batches SET query = 'siret:[9 TO'"))
    message = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    fetcher.walker.fetch_page(message)

    assert insee.quota()["requests"] == 1 + 1
    assert value(fetcher.engine, "SELECT status FROM import_batches") == "failed"
    assert value(fetcher.engine, "SELECT status FROM import_runs") == "failed"
    assert "400" in value(fetcher.engine, "SELECT error FROM import_runs")


@pytest.mark.parametrize(
    ("row_limit", "table", "status"),
    [(None, "import_runs", "pending"), (100, "import_batches", "running")],
)
def test_a_wrong_key_pauses_everything_and_says_so_to_whoever_watches(
    row_limit: int | None,
    table: str,
    status: str,
    start_insee: StartInsee,
    make_fetcher: MakeFetcher,
) -> None:
    insee = start_insee(key="another")
    fetcher = make_fetcher(insee)
    # A limit of one window needs no count.
    fetcher.request_import("33", row_limit=row_limit)
    fetcher.planner.turn()
    fetcher.walk_to_the_end()

    error = value(fetcher.engine, "SELECT error FROM import_runs")
    assert "SIRENADE_INSEE_KEY" in error
    assert value(fetcher.engine, f"SELECT status FROM {table}") == status  # noqa: S608  # above
    assert value(fetcher.engine, "SELECT paused_until > now() FROM quota") is True


def test_a_page_that_lost_its_lease_publishes_nothing(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.request_import("33")
    fetcher.planner.turn()
    message = fetcher.outbox.pages.pop()
    # While the first one is on its way, its lease runs out and the page is taken by another.
    original = fetcher.store.save_page

    def save_after_losing_the_lease(*arguments: Any) -> bool:
        with fetcher.engine.begin() as connection:
            connection.execute(text("UPDATE import_pages SET lease_token = gen_random_uuid()"))
        return original(*arguments)

    fetcher.store.save_page = save_after_losing_the_lease  # type: ignore[method-assign, assignment]
    fetcher.walker.fetch_page(message)

    assert fetcher.outbox.slices == []
    assert fetcher.outbox.pages == []


def test_a_page_whose_slices_could_not_be_published_is_fetched_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.request_import("33")
    fetcher.planner.turn()
    message = fetcher.outbox.pages.pop()
    fetcher.outbox.error = ConnectionError()
    with pytest.raises(ConnectionError):
        fetcher.walker.fetch_page(message)
    fetcher.outbox.error = None

    fetcher.sweeper.turn()
    fetcher.walk_to_the_end()

    assert len(fetcher.outbox.sirets()) == 50


def test_a_page_is_leased_by_one_fetcher_at_a_time(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=50)
    fetcher = make_fetcher(insee)
    fetcher.request_import("33")
    fetcher.planner.turn()
    page = fetcher.outbox.pages[0]
    assert fetcher.store.lease_page(page.batch_id, page.page, lease_seconds=60) is not None

    fetcher.walker.fetch_page(FetchPage(page.batch_id, page.page))

    assert insee.quota()["requests"] == 1  # the plan's count


def test_a_page_that_the_writer_completed_meanwhile_keeps_the_fetch_that_was_written(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.request_import("33")
    fetcher.planner.turn()
    message = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    first = value(fetcher.engine, "SELECT fetch_id FROM import_pages")
    published = len(fetcher.outbox.slices)
    original = fetcher.store.save_page

    def save_after_the_last_slice_was_written(*arguments: Any) -> bool:
        with fetcher.engine.begin() as connection:
            connection.execute(text("UPDATE import_pages SET slices_done = slices_expected"))
            connection.execute(text("UPDATE import_batches SET status = 'complete'"))
        return original(*arguments)

    fetcher.store.save_page = save_after_the_last_slice_was_written  # type: ignore[method-assign, assignment]
    fetcher.walker.fetch_page(message)

    assert value(fetcher.engine, "SELECT fetch_id FROM import_pages") == first
    assert len(fetcher.outbox.slices) == published


def test_a_page_that_ends_elsewhere_than_before_has_the_next_one_fetched_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=300), rows_per_page=100)
    fetcher.request_import("33")
    fetcher.planner.turn()
    first_page = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    before = value(fetcher.engine, "SELECT fetch_id FROM import_pages WHERE number = 2")
    # Page 1 had ended further on, as if a row in the middle of it had not been there yet.
    with fetcher.engine.begin() as connection:
        connection.execute(
            text("""
                UPDATE import_pages SET slices_done = slices_expected,
                  cursor = (SELECT cursor FROM import_pages WHERE number = 3)
                WHERE number = 2
            """)
        )
        connection.execute(
            text("""
                INSERT INTO slice_receipts (batch_id, page, fetch_id, slice, records, sirets)
                VALUES (:batch, 2, :fetch, 0, 100, '{}')
            """),
            {"batch": first_page.batch_id, "fetch": before},
        )
        connection.execute(text("UPDATE import_batches SET received = 100"))

    fetcher.walker.fetch_page(first_page)
    assert value(fetcher.engine, "SELECT received FROM import_batches") == 0
    fetcher.walk_to_the_end()

    assert value(fetcher.engine, "SELECT fetch_id FROM import_pages WHERE number = 2") > before
    sirets = fetcher.outbox.sirets()
    assert len(sirets) == len(set(sirets)) == 300


def test_a_run_whose_windows_are_all_empty_completes(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33",), establishments=50))
    fetcher.request_import("75", "69", row_limit=10)
    fetcher.planner.turn()

    assert value(fetcher.engine, "SELECT status FROM import_runs") == "complete"
    assert value(fetcher.engine, "SELECT completed_at FROM import_runs") is not None


def test_a_plan_that_comes_late_does_not_open_a_finished_run_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.request_import("33")
    with fetcher.engine.begin() as connection:
        connection.execute(text("UPDATE import_runs SET status = 'complete'"))
        run_id = connection.execute(text("SELECT id FROM import_runs")).scalar_one()

    fetcher.store.insert_plan(run_id, Draft([PlannedBatch(Window(departement="33"))]))

    assert value(fetcher.engine, "SELECT status FROM import_runs") == "complete"
    assert value(fetcher.engine, "SELECT count(*) FROM import_batches") == 0


def test_windows_beyond_the_limit_are_not_counted(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24"), establishments=1000)
    fetcher = make_fetcher(insee)
    fetcher.request_import("33", "24", "75", row_limit=10)
    fetcher.planner.turn()

    assert insee.quota()["requests"] == 1


def test_a_429_during_a_count_holds_back_every_replica_and_fails_nothing(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24"), establishments=100, rate_headers=False)
    fetcher = make_fetcher(insee)
    insee.set_faults(next_429=1)
    fetcher.request_import("33", "24", row_limit=10)
    fetcher.planner.turn()

    assert value(fetcher.engine, "SELECT paused_until > now() FROM quota") is True
    assert value(fetcher.engine, "SELECT status FROM import_runs") == "pending"
    with fetcher.engine.begin() as connection:
        connection.execute(text("UPDATE quota SET paused_until = NULL"))
    fetcher.planner.turn()
    assert value(fetcher.engine, "SELECT status FROM import_runs") == "running"


def test_a_plan_waits_while_insee_is_down(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=100)
    fetcher = make_fetcher(insee)
    insee.set_faults(next_errors=1, error_status=503)
    fetcher.request_import("33")
    for _ in range(3):
        fetcher.planner.turn()

    assert insee.quota()["requests"] == 1
    assert value(fetcher.engine, "SELECT lease_until > now() FROM import_runs") is True
    fetcher.store.wake_everything()
    fetcher.planner.turn()
    assert value(fetcher.engine, "SELECT status FROM import_runs") == "running"


def test_a_run_whose_planner_was_killed_is_planned_within_minutes_by_another(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=100))
    fetcher.request_import("33", "24", row_limit=10)
    held: list[float] = []

    def count_and_look(_query: str) -> int:
        held.append(
            value(fetcher.engine, "SELECT extract(epoch FROM lease_until - now()) FROM import_runs")
        )
        with fetcher.engine.begin() as connection:
            connection.execute(text("UPDATE import_runs SET lease_until = now()"))
        return 5

    replace(fetcher.planner, count=count_and_look).turn()

    # Renewed before each count, not taken once for all of them.
    assert [30 < seconds < 120 for seconds in held] == [True, True]


def test_a_full_queue_in_the_middle_of_a_page_sends_the_page_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.request_import("33")
    fetcher.planner.turn()
    message = fetcher.outbox.pages.pop()
    fetcher.outbox.error = QueueFull("sirene.write.v1")

    with pytest.raises(SlowDown):  # its message returns after a pause
        fetcher.walker.fetch_page(message)
    fetcher.outbox.error = None
    fetcher.walker.fetch_page(message)

    assert len(fetcher.outbox.sirets()) == 50


def test_waiting_for_the_writer_however_long_is_no_failure_of_the_page(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=50)
    fetcher = make_fetcher(insee)
    fetcher.request_import("33")
    fetcher.planner.turn()
    message = fetcher.outbox.pages[0]
    with fetcher.engine.begin() as connection:
        connection.execute(text("UPDATE import_pages SET starts = 5000"))
    insee.set_faults(next_errors=1, error_status=503)

    fetcher.walker.fetch_page(message)
    assert value(fetcher.engine, "SELECT lease_until > now() FROM import_pages") is True

    with fetcher.engine.begin() as connection:
        connection.execute(text("UPDATE import_pages SET starts = 0, lease_until = NULL"))
    fetcher.slices_ready[0] = 100
    fetcher.walker.fetch_page(message)
    assert value(fetcher.engine, "SELECT starts FROM import_pages") == 0


def test_a_refused_refetch_does_not_fail_a_batch_that_is_complete(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.request_import("33")
    fetcher.planner.turn()
    batch_id = fetcher.outbox.pages[0].batch_id
    with fetcher.engine.begin() as connection:
        connection.execute(text("UPDATE import_batches SET status = 'complete'"))

    fetcher.store.fail_batch(batch_id, "400")

    assert value(fetcher.engine, "SELECT status FROM import_batches") == "complete"


@pytest.mark.parametrize("waiting", ["pages", "slices"])
def test_a_lost_page_is_sent_again_though_other_runs_keep_the_queues_full(
    waiting: str, start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=200))
    fetcher.request_import("33")
    fetcher.request_import("24")
    fetcher.planner.turn()
    fetcher.planner.turn()
    lost, other = fetcher.outbox.pages
    fetcher.walker.fetch_page(lost)
    fetcher.walker.fetch_page(other)
    fetcher.outbox.pages.clear()
    if waiting == "slices":
        # What was published after the lost slices has been written long ago.
        fetcher.slices_ready[0] = 50
        moved = "UPDATE import_pages SET moved_at = now() - interval '1 hour'"
        written = "UPDATE import_pages SET slices_done = slices_expected WHERE batch_id = :batch"
    else:
        fetcher.outbox.pages = [other] * 3
        moved = """UPDATE import_pages SET moved_at = now() - interval '1 hour', fetch_id = NULL,
            slices_expected = NULL"""
        written = "DELETE FROM import_pages WHERE batch_id = :batch"
    with fetcher.engine.begin() as connection:
        connection.execute(text(moved))
        connection.execute(text(written), {"batch": other.batch_id})

    fetcher.sweeper.turn()

    assert lost in fetcher.outbox.pages


def test_a_page_whose_slices_wait_their_turn_is_left_alone(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=200))
    fetcher.request_import("33")
    fetcher.planner.turn()
    fetcher.walk_to_the_end()
    with fetcher.engine.begin() as connection:
        connection.execute(text("UPDATE import_pages SET moved_at = now() - interval '1 hour'"))
    fetcher.slices_ready[0] = 50

    fetcher.sweeper.turn()

    assert fetcher.outbox.pages == []


def test_a_released_page_does_not_wait_for_the_queues_to_be_empty(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=200))
    fetcher.request_import("33")
    fetcher.planner.turn()
    message = fetcher.outbox.pages.pop()
    fetcher.slices_ready[0] = 100
    fetcher.walker.fetch_page(message)
    with fetcher.engine.begin() as connection:  # the delay is over
        connection.execute(text("UPDATE import_pages SET lease_until = now()"))
    fetcher.slices_ready[0] = 99

    fetcher.sweeper.turn()

    assert fetcher.outbox.pages == [message]
