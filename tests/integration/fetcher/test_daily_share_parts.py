"""Each page holds a part of the daily share, from its lease to its end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from services.fetcher.daily_share import Rhythm
from services.fetcher.walk.store import FetchedPage, PageStore
from shared.messages import FetchPage
from tests.integration.fetcher.conftest import MakeFetcher, StartInsee, execute
from tests.integration.fetcher.daily import PARIS, a_day, daily, next_day, planned, rows_of_today


def test_a_killed_fetchers_page_keeps_its_part_until_the_day_is_over(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=1000), rows_per_page=200)
    daily(fetcher, 200, "33")
    fetcher.planner.turn()
    (page,) = fetcher.outbox.pages
    assert fetcher.pages.lease_page(page.batch_id, page.page, lease_seconds=-1, rows_per_page=200)
    assert rows_of_today(fetcher.engine) == 0
    assert a_day(fetcher) == 200

    next_day(fetcher.engine)
    (still,) = fetcher.execute("SELECT max(number) AS number FROM import_pages")
    lease = fetcher.pages.lease_page(
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
    lease = fetcher.pages.lease_page(page.batch_id, page.page, lease_seconds=60, rows_per_page=200)
    assert lease is not None
    assert lease.part is not None
    assert lease.part.ends_at is not None
    midnight = lease.part.ends_at
    assert midnight.astimezone(PARIS).time().isoformat() == "00:00:00"
    moved = fetcher.pages.move_part(lease, lease.part, midnight + timedelta(seconds=1))
    assert moved is not None
    assert moved.rows == 200
    assert fetcher.execute("SELECT share_day FROM import_pages") == [(midnight,)]
    # A page whose lease another holds by now gets no part either.
    fetcher.execute("UPDATE import_pages SET lease_token = gen_random_uuid()")
    assert fetcher.pages.move_part(lease, lease.part, midnight + timedelta(days=1)) is None


def test_a_page_counts_on_the_day_in_which_its_slot_lets_it_leave(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    # The wait for a slot is longer than the day.
    fetcher = make_fetcher(start_insee(establishments=300), rows_per_page=100, per_minute=50)
    daily(fetcher, 1000, "33", day_seconds=1)
    fetcher.planner.turn()
    fetcher.walk_to_the_end()
    days = fetcher.execute(
        """
        SELECT p.share_day, q.granted_at
        FROM import_pages p JOIN insee_requests q ON q.id = p.fetch_id
        """
    )
    assert len(days) == 3
    # A slot can lie a moment in the past, when nobody was ready for it.
    early, day = timedelta(seconds=0.5), timedelta(seconds=1)
    assert all(start - early <= granted < start + day for start, granted in days)


def test_what_a_short_page_leaves_of_the_share_is_given_to_a_page_that_rests(
    engine: Engine,
) -> None:
    short, other = planned(engine, Rhythm(300), windows=2)
    store = PageStore(engine)
    lease = store.lease_page(short.batch_id, short.page, lease_seconds=60, rows_per_page=300)
    assert lease is not None
    assert store.lease_page(other.batch_id, other.page, lease_seconds=60) is None

    def swept() -> list[FetchPage]:
        return store.sweep(unfetched_seconds=0, unwritten_seconds=60, slices_wait=False)

    assert swept() == []
    fetched = FetchedPage(1, None, records=120, slices=1, is_last=True, expected=120)
    assert store.save_page(lease, fetched)
    assert swept() == [other]
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
    (page,) = planned(engine, Rhythm(10), windows=1)
    lease = PageStore(engine).lease_page(page.batch_id, 1, lease_seconds=60, rows_per_page=5)
    assert lease is not None
    assert lease.part is not None
    when = datetime.fromisoformat(at).replace(tzinfo=PARIS)
    part = PageStore(engine).move_part(lease, lease.part, when)
    assert part is not None
    ((start,),) = execute(engine, "SELECT share_day FROM import_pages")
    assert start == when.replace(hour=0, minute=0)
    assert part.ends_at is not None
    assert part.ends_at.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)


def test_leases_at_once_never_give_out_more_than_the_share(engine: Engine) -> None:
    pages = planned(engine, Rhythm(2500), windows=8)
    store = PageStore(engine)
    barrier = threading.Barrier(8)

    def lease(page: FetchPage) -> int:
        barrier.wait(timeout=10)
        found = store.lease_page(page.batch_id, page.page, lease_seconds=60)
        return 0 if found is None or found.part is None else found.part.rows

    with ThreadPoolExecutor(8) as pool:
        given_out = list(pool.map(lease, pages))
    assert sorted(given_out) == [0, 0, 0, 0, 0, 500, 1000, 1000]
