"""A daily import fetches its share of rows a day, and goes on where the day before ended."""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from services.fetcher.daily_share import DailyOrder, Rhythm, order_daily
from shared.errors import UserError
from shared.imports.progress import read_progress
from shared.imports.scope import Scope
from tests.integration.fetcher.conftest import Fetcher, MakeFetcher, StartInsee, execute
from tests.integration.fetcher.daily import a_day, daily, next_day, rows_of_today, written

if TYPE_CHECKING:
    from datetime import datetime


def test_each_day_brings_its_share_exactly_and_goes_on_where_the_last_ended(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    # Neither walk is a multiple of full pages: the last pages of a day are cut to fit.
    insee = start_insee(departements=("33", "24"), establishments=1000)
    fetcher = make_fetcher(insee, rows_per_page=300)
    daily(fetcher, 700, "33", "24")
    days = []
    for _ in range(3):
        days.append(a_day(fetcher))
        next_day(fetcher.engine)
    assert days == [700, 300, 0]
    sirets = fetcher.outbox.sirets()
    assert len(sirets) == len(set(sirets)) == 1000


def test_a_run_that_had_its_share_costs_no_quota_and_does_not_hold_up_others(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24"), establishments=1000)
    fetcher = make_fetcher(insee, rows_per_page=100)
    daily(fetcher, 200, "33")
    assert a_day(fetcher) == 200
    requests = insee.quota()["requests"]
    assert a_day(fetcher) == 200
    assert insee.quota()["requests"] == requests

    # The other walks that may run side by side stand still too.
    fetcher.execute(
        """
        INSERT INTO import_batches (run_id, number, query, departement, status)
        SELECT run_id, number + n, query, departement, 'running'
        FROM import_batches, generate_series(1, 3) n
        """
    )
    fetcher.order_departements("24", row_limit=50)
    a_day(fetcher)
    assert fetcher.execute("SELECT sum(records) FROM import_pages") == [(250,)]


def test_a_page_that_fails_takes_nothing_of_the_share(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=1000)
    fetcher = make_fetcher(insee, rows_per_page=200)
    daily(fetcher, 500, "33")
    fetcher.planner.turn()
    insee.set_faults(next_errors=1, error_status=503)
    fetcher.walk_to_the_end()
    assert rows_of_today(fetcher.engine) == 0
    fetcher.store.wake_everything()
    assert a_day(fetcher) == 500


def test_a_page_fetched_again_brings_no_new_rows_whatever_is_left_of_the_share(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=1000), rows_per_page=200)
    daily(fetcher, 300, "33")
    fetcher.planner.turn()
    fetcher.walk_to_the_end()
    assert rows_of_today(fetcher.engine) == 300
    # The queue lost all slices; the run rests.
    fetcher.store.wake_everything()
    fetcher.sweeper.turn()
    assert sorted(each.page for each in fetcher.outbox.pages) == [1, 2]
    fetcher.walk_to_the_end()
    assert rows_of_today(fetcher.engine) == 300
    assert len(fetcher.outbox.sirets()) == 300


def test_several_fetchers_keep_the_share_over_many_short_days(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    """Days last a real second, and three fetchers know nothing of each other."""
    insee = start_insee(departements=("33", "24", "40"), establishments=1000)
    fetchers = [make_fetcher(insee, rows_per_page=100, per_minute=10_000) for _ in range(3)]
    daily(fetchers[0], 330, "33", "24", "40", day_seconds=1)
    engine, stop = fetchers[0].engine, threading.Event()

    def work(fetcher: Fetcher) -> None:
        while not stop.wait(0.01):
            fetcher.planner.turn()
            fetcher.sweeper.turn()
            fetcher.walk_to_the_end()

    def received() -> int:
        ((rows,),) = execute(engine, "SELECT coalesce(sum(records), 0) FROM import_pages")
        return int(rows)

    with ThreadPoolExecutor(3) as pool:
        turns = [pool.submit(work, fetcher) for fetcher in fetchers]
        for _ in itertools.takewhile(lambda _: received() < 1000, range(300)):
            written(engine)
            stop.wait(0.05)
        stop.set()
        for turn in turns:
            turn.result(timeout=10)
    days: Counter[datetime] = Counter()
    for day, rows, left_on_that_day in execute(
        engine,
        """
        -- A slot can lie a moment back, when nobody was ready for it (gcra.py).
        SELECT p.share_day, p.records, bool_or(q.granted_at BETWEEN
          p.share_day - interval '0.5 s' AND p.share_day + interval '1 s')
        FROM import_pages p JOIN insee_requests q ON q.batch_id = p.batch_id AND q.page = p.number
        WHERE q.records = p.records GROUP BY p.batch_id, p.number
        """,
    ):
        assert left_on_that_day
        days[day] += rows
    assert sum(days.values()) == 1000
    assert max(days.values()) <= 330
    assert len(days) >= 4


def test_the_same_import_asked_for_again_goes_on_and_takes_the_new_share(engine: Engine) -> None:
    first = order_daily(engine, Scope(departements=["33"]), Rhythm(10), row_limit=None)
    assert not first.goes_on
    again = order_daily(engine, Scope(departements=["33"]), Rhythm(20), row_limit=None)
    assert again == DailyOrder(first.run_id, goes_on=True, was=Rhythm(10))
    assert execute(engine, "SELECT per_day FROM import_runs") == [(20,)]
    # A command without a place means the only open import.
    by_none = order_daily(engine, None, Rhythm(20), row_limit=None)
    assert by_none == DailyOrder(first.run_id, goes_on=True, was=Rhythm(20))
    other = order_daily(engine, Scope(departements=["24"]), Rhythm(20), row_limit=None)
    assert not other.goes_on
    with pytest.raises(UserError, match=f"runs {first.run_id}, {other.run_id}"):
        order_daily(engine, None, Rhythm(20), row_limit=None)
    execute(engine, "UPDATE import_runs SET status = 'complete'")
    whole = order_daily(engine, None, Rhythm(20), row_limit=None)
    assert not whole.goes_on


def test_commands_at_once_begin_one_daily_import(engine: Engine) -> None:
    barrier = threading.Barrier(4)

    def ask(_: int) -> DailyOrder:
        barrier.wait(timeout=10)
        return order_daily(engine, None, Rhythm(10), row_limit=None)

    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(ask, range(4)))
    assert sorted(each.goes_on for each in asked) == [False, True, True, True]
    assert len({each.run_id for each in asked}) == 1


def test_a_larger_share_ends_the_rest_at_once(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=1000), rows_per_page=200)
    daily(fetcher, 300, "33")
    assert a_day(fetcher) == 300
    daily(fetcher, 600, "33")
    assert a_day(fetcher) == 600


def test_the_progress_says_the_share_of_today_and_the_days_that_are_left(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=1000), rows_per_page=200)
    run_id = daily(fetcher, 300, "33")
    a_day(fetcher)
    fetcher.execute("UPDATE import_batches SET received = 300")
    with fetcher.engine.connect() as connection:
        progress = read_progress(connection, run_id)
    assert (progress.rows_today, progress.per_day, progress.days_left) == (300, 300, 3)
    assert progress.resting_until is not None
    assert progress.resting_until > progress.at
    next_day(fetcher.engine)
    with fetcher.engine.connect() as connection:
        progress = read_progress(connection, run_id)
    assert (progress.rows_today, progress.resting_until, progress.days_left) == (0, None, 3)
