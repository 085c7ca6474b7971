"""A daily import: so many rows a day, each day where the one before ended."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from services.fetcher.planning import PageEnd
from services.fetcher.rhythm import Requested, Rhythm, request_daily
from services.fetcher.store import FetchedPage, ImportStore
from services.fetcher.windows import Scope
from shared.errors import UserError
from shared.messages import FetchPage
from shared.progress import read_progress
from tests.integration.fetcher.conftest import Fetcher, Insee

StartInsee = Callable[..., Insee]
MakeFetcher = Callable[..., Fetcher]
PARIS = ZoneInfo("Europe/Paris")


def execute(engine: Engine, statement: str, **values: object) -> list[Any]:
    with engine.begin() as connection:
        result = connection.execute(text(statement), values)
        return list(result.all()) if result.returns_rows else []


def rows_of_today(engine: Engine) -> int:
    with engine.connect() as connection:
        return read_progress(connection).rows_today


def next_day(engine: Engine) -> None:
    """Everything that was kept of today becomes yesterday's."""
    execute(engine, "UPDATE import_pages SET share_day = share_day - interval '1 day'")
    execute(engine, "UPDATE import_runs SET resting_until = resting_until - interval '1 day'")


def a_day(fetcher: Fetcher) -> int:
    """Work until nothing moves any more; return the rows that the day brought."""
    for _ in range(50):
        fetcher.planner.turn()
        fetcher.sweeper.turn()
        if not fetcher.outbox.pages:
            break
        fetcher.walk_to_the_end()
        written(fetcher.engine)
    return rows_of_today(fetcher.engine)


def written(engine: Engine) -> None:
    """As the writer would leave the pages."""
    execute(
        engine,
        "UPDATE import_pages SET slices_done = slices_expected WHERE slices_expected IS NOT NULL",
    )


def daily(fetcher: Fetcher, per_day: int, *departements: str, **rhythm: float) -> int:
    scope = Scope(departements=departements)
    asked = request_daily(fetcher.engine, scope, Rhythm(per_day, **rhythm), row_limit=None)
    return asked.run_id


def test_each_day_brings_its_share_exactly_and_goes_on_where_the_last_ended(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    # Two walks, neither a multiple of pages: the day's last pages are cut to fit.
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

    # Its other walks stand still as well, as many as may run side by side.
    execute(
        fetcher.engine,
        """
        INSERT INTO import_batches (run_id, number, query, departement, status)
        SELECT run_id, number + n, query, departement, 'running'
        FROM import_batches, generate_series(1, 3) n
        """,
    )
    fetcher.request_import("24", row_limit=50)
    a_day(fetcher)
    assert execute(fetcher.engine, "SELECT sum(records) FROM import_pages") == [(250,)]


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


def test_a_killed_fetchers_page_keeps_its_part_until_the_day_is_over(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=1000), rows_per_page=200)
    daily(fetcher, 200, "33")
    fetcher.planner.turn()
    (page,) = fetcher.outbox.pages
    assert fetcher.store.lease_page(page.batch_id, page.page, lease_seconds=-1, rows_per_page=200)
    assert rows_of_today(fetcher.engine) == 0
    assert a_day(fetcher) == 200

    next_day(fetcher.engine)
    (still,) = execute(fetcher.engine, "SELECT max(number) AS number FROM import_pages")
    lease = fetcher.store.lease_page(
        page.batch_id, still.number, lease_seconds=-1, rows_per_page=200
    )
    assert lease is not None
    next_day(fetcher.engine)
    fetcher.store.wake_everything()
    assert a_day(fetcher) == 200


def test_a_slot_that_is_granted_on_the_next_day_takes_that_days_share(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=1000), rows_per_page=200)
    daily(fetcher, 300, "33")
    fetcher.planner.turn()
    (page,) = fetcher.outbox.pages
    lease = fetcher.store.lease_page(page.batch_id, page.page, lease_seconds=60, rows_per_page=200)
    assert lease is not None
    assert lease.part is not None
    assert lease.part.ends_at is not None
    midnight = lease.part.ends_at
    assert midnight.astimezone(PARIS).time().isoformat() == "00:00:00"
    moved = fetcher.store.move_part(lease, lease.part, midnight + timedelta(seconds=1))
    assert moved is not None
    assert moved.rows == 200
    assert execute(fetcher.engine, "SELECT share_day FROM import_pages") == [(midnight,)]
    # And not where the lease is another's by now.
    execute(fetcher.engine, "UPDATE import_pages SET lease_token = gen_random_uuid()")
    assert fetcher.store.move_part(lease, lease.part, midnight + timedelta(days=1)) is None


def test_a_page_counts_on_the_day_in_which_its_slot_lets_it_leave(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    # The wait for a slot is longer than the day.
    fetcher = make_fetcher(start_insee(establishments=300), rows_per_page=100, per_minute=50)
    daily(fetcher, 1000, "33", day_seconds=1)
    fetcher.planner.turn()
    fetcher.walk_to_the_end()
    days = execute(
        fetcher.engine,
        """
        SELECT p.share_day, q.granted_at
        FROM import_pages p JOIN insee_requests q ON q.id = p.fetch_id
        """,
    )
    assert len(days) == 3
    # A slot can lie a moment back, when nobody was ready for it.
    early, day = timedelta(seconds=0.5), timedelta(seconds=1)
    assert all(start - early <= granted < start + day for start, granted in days)


def test_what_a_short_page_leaves_of_the_share_is_given_to_a_page_that_rests(
    engine: Engine,
) -> None:
    short, other = _planned(engine, Rhythm(300), windows=2)
    store = ImportStore(engine)
    lease = store.lease_page(short.batch_id, short.page, lease_seconds=60, rows_per_page=300)
    assert lease is not None
    assert store.lease_page(other.batch_id, other.page, lease_seconds=60) is None

    def swept() -> list[tuple[int, int]]:
        return store.sweep(unfetched_seconds=0, unwritten_seconds=60, slices_wait=False)

    assert swept() == []
    end = PageEnd(is_last=True, expected=120)
    assert store.save_page(lease, FetchedPage(1, None, records=120, slices=1, end=end))
    assert swept() == [(other.batch_id, other.page)]
    second = store.lease_page(other.batch_id, other.page, lease_seconds=60)
    assert second is not None
    assert second.part is not None
    assert second.part.rows == 180


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        ("2026-03-29 12:00", 23),
        ("2026-10-25 12:00", 25),
        ("2026-10-25 02:30", 25),
        ("2026-11-23 00:00", 24),
    ],
)
def test_days_are_those_of_france_also_when_the_clocks_change(
    engine: Engine, at: str, hours: int
) -> None:
    (page,) = _planned(engine, Rhythm(10), windows=1)
    lease = ImportStore(engine).lease_page(page.batch_id, 1, lease_seconds=60, rows_per_page=5)
    assert lease is not None
    assert lease.part is not None
    when = datetime.fromisoformat(at).replace(tzinfo=PARIS)
    part = ImportStore(engine).move_part(lease, lease.part, when)
    assert part is not None
    ((start,),) = execute(engine, "SELECT share_day FROM import_pages")
    assert start == when.replace(hour=0, minute=0)
    assert part.ends_at is not None
    assert part.ends_at.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)


def _planned(engine: Engine, rhythm: Rhythm, *, windows: int) -> list[FetchPage]:
    """The first pages of a daily run whose windows are at work, without a fetcher."""
    run_id = request_daily(engine, Scope(departements=["33"]), rhythm, row_limit=None).run_id
    execute(engine, "UPDATE import_runs SET status = 'running'")
    for number in range(1, windows + 1):
        execute(
            engine,
            "INSERT INTO import_batches (run_id, number, query) VALUES (:run_id, :number, '')",
            run_id=run_id,
            number=number,
        )
    return [FetchPage(*page) for page in ImportStore(engine).activate_batches(windows)]


def test_leases_at_once_never_give_out_more_than_the_share(engine: Engine) -> None:
    pages = _planned(engine, Rhythm(2500), windows=8)
    store = ImportStore(engine)
    barrier = threading.Barrier(8)

    def lease(page: FetchPage) -> int:
        barrier.wait(timeout=10)
        found = store.lease_page(page.batch_id, page.page, lease_seconds=60)
        return 0 if found is None or found.part is None else found.part.rows

    with ThreadPoolExecutor(8) as pool:
        given_out = list(pool.map(lease, pages))
    assert sorted(given_out) == [0, 0, 0, 0, 0, 500, 1000, 1000]


def test_several_fetchers_keep_the_share_over_many_short_days(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    """Real days of a second, real midnights, three fetchers that know nothing of each other."""
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
        -- A slot can lie a moment back, when nobody was ready for it (quota.py).
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
    first = request_daily(engine, Scope(departements=["33"]), Rhythm(10), row_limit=None)
    assert not first.goes_on
    again = request_daily(engine, Scope(departements=["33"]), Rhythm(20), row_limit=None)
    assert again == Requested(first.run_id, goes_on=True)
    assert execute(engine, "SELECT per_day FROM import_runs") == [(20,)]
    # Nothing named is the only one under way.
    assert request_daily(engine, None, Rhythm(20), row_limit=None) == again
    other = request_daily(engine, Scope(departements=["24"]), Rhythm(20), row_limit=None)
    assert not other.goes_on
    with pytest.raises(UserError, match=f"runs {first.run_id}, {other.run_id}"):
        request_daily(engine, None, Rhythm(20), row_limit=None)
    execute(engine, "UPDATE import_runs SET status = 'complete'")
    whole = request_daily(engine, None, Rhythm(20), row_limit=None)
    assert not whole.goes_on


def test_commands_at_once_begin_one_daily_import(engine: Engine) -> None:
    barrier = threading.Barrier(4)

    def ask(_: int) -> Requested:
        barrier.wait(timeout=10)
        return request_daily(engine, None, Rhythm(10), row_limit=None)

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
    execute(fetcher.engine, "UPDATE import_batches SET received = 300")
    with fetcher.engine.connect() as connection:
        progress = read_progress(connection, run_id)
    assert (progress.rows_today, progress.per_day, progress.days_left) == (300, 300, 3)
    assert progress.resting_until is not None
    assert progress.resting_until > progress.at
    next_day(fetcher.engine)
    with fetcher.engine.connect() as connection:
        progress = read_progress(connection, run_id)
    assert (progress.rows_today, progress.resting_until, progress.days_left) == (0, None, 3)
