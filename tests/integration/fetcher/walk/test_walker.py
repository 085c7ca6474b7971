"""Walks over a real simulator and a real database; lists replace the queues."""

from typing import Any

import pytest

from shared.messages import RECORDS_PER_SLICE, FetchPage
from tests.integration.fetcher.conftest import Fetcher, MakeFetcher, StartInsee


def test_a_walk_publishes_every_row_once_in_the_order_of_siret(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=1500)
    fetcher = make_fetcher(insee, rows_per_page=400)
    fetcher.plan("33")
    fetcher.walk_to_the_end()

    sirets = fetcher.outbox.sirets()
    assert len(sirets) == 1500
    assert sirets == sorted(set(sirets))
    # The plan asks how far INSEE is and counts, then come 400 + 400 + 400 + 300 rows: the total
    # ends the walk, and no empty page is asked for.
    assert insee.quota()["requests"] == 2 + 4
    assert fetcher.value("SELECT expected FROM import_batches") == 1500


def test_a_limit_is_met_exactly_and_shared_out_to_several_windows(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24"), establishments=1000)
    fetcher = make_fetcher(insee, rows_per_page=300)
    fetcher.plan("33", "24", row_limit=700)
    fetcher.walk_to_the_end()

    assert fetcher.value("SELECT sum(expected) FROM import_batches") == 700
    assert fetcher.value("SELECT sum(records) FROM import_pages") == 700


def test_a_window_without_rows_is_one_empty_slice(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33",)))
    fetcher.plan("75")
    fetcher.walk_to_the_end()

    assert [each.records for each in fetcher.outbox.slices] == ["[]"]
    assert fetcher.value("SELECT is_last FROM import_pages") is True
    assert fetcher.value("SELECT expected FROM import_batches") == 0


def test_a_stale_page_message_costs_no_quota(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=50)
    fetcher = make_fetcher(insee)
    fetcher.plan("33")
    message = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    fetcher.execute("UPDATE import_pages SET slices_done = slices_expected")

    requests = insee.quota()["requests"]
    fetcher.walker.fetch_page(message)

    assert insee.quota()["requests"] == requests


def receive_slice(fetcher: Fetcher, *, page: int, records: int) -> None:
    """Write the first slice of a page of the only batch, in place of the writer."""
    fetcher.execute(
        """
        INSERT INTO slice_receipts (batch_id, page, fetch_id, slice, records, sirets)
        SELECT batch_id, number, fetch_id, 0, :records, '{}' FROM import_pages
        WHERE number = :page
        """,
        page=page,
        records=records,
    )
    fetcher.execute("UPDATE import_batches SET received = :records", records=records)


def test_a_page_whose_slices_were_not_written_is_fetched_again_under_a_new_fetch_id(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=RECORDS_PER_SLICE + 150))
    fetcher.plan("33")
    message = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    first = fetcher.outbox.slices[0].fetch_id
    # One of its two slices was written before the queue lost the other.
    receive_slice(fetcher, page=1, records=RECORDS_PER_SLICE)
    fetcher.execute("UPDATE import_pages SET slices_done = 1")

    fetcher.walker.fetch_page(message)

    again = {each.fetch_id for each in fetcher.outbox.slices} - {first}
    assert again == {fetcher.value("SELECT fetch_id FROM import_pages")}
    assert fetcher.value("SELECT slices_done FROM import_pages") == 0
    # The receipt of the first GET no longer counts.
    assert fetcher.value("SELECT received FROM import_batches") == 0


def test_a_page_that_lost_its_lease_publishes_nothing(
    start_insee: StartInsee, make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    insee = start_insee(establishments=50)
    fetcher = make_fetcher(insee)
    fetcher.plan("33")
    message = fetcher.outbox.pages.pop()
    # While the first GET is on its way, its lease runs out and another takes the page.
    original = fetcher.pages.save_page

    def save_after_losing_the_lease(*arguments: Any) -> bool:
        fetcher.execute("UPDATE import_pages SET lease_token = gen_random_uuid()")
        return original(*arguments)

    monkeypatch.setattr(fetcher.pages, "save_page", save_after_losing_the_lease)
    fetcher.walker.fetch_page(message)

    assert insee.quota()["requests"] == 2 + 1
    assert fetcher.outbox.slices == []
    assert fetcher.outbox.pages == []


def test_a_page_is_leased_by_one_fetcher_at_a_time(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=50)
    fetcher = make_fetcher(insee)
    fetcher.plan("33")
    page = fetcher.outbox.pages[0]
    assert fetcher.pages.lease_page(page.batch_id, page.page, lease_seconds=60) is not None

    fetcher.walker.fetch_page(FetchPage(page.batch_id, page.page))

    assert insee.quota()["requests"] == 2  # of the plan


def test_a_page_that_the_writer_completed_meanwhile_keeps_the_fetch_that_was_written(
    start_insee: StartInsee, make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    insee = start_insee(establishments=50)
    fetcher = make_fetcher(insee)
    fetcher.plan("33")
    message = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    requests, first = insee.quota()["requests"], fetcher.value("SELECT fetch_id FROM import_pages")
    published = len(fetcher.outbox.slices)
    original = fetcher.pages.save_page

    def save_after_the_last_slice_was_written(*arguments: Any) -> bool:
        fetcher.execute("UPDATE import_pages SET slices_done = slices_expected")
        fetcher.execute("UPDATE import_batches SET status = 'complete'")
        return original(*arguments)

    monkeypatch.setattr(fetcher.pages, "save_page", save_after_the_last_slice_was_written)
    fetcher.walker.fetch_page(message)

    assert insee.quota()["requests"] == requests + 1
    assert fetcher.value("SELECT fetch_id FROM import_pages") == first
    assert len(fetcher.outbox.slices) == published


def test_a_page_that_ends_elsewhere_than_before_has_the_next_one_fetched_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=300), rows_per_page=100)
    fetcher.plan("33")
    first_page = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    before = fetcher.value("SELECT fetch_id FROM import_pages WHERE number = 2")
    # Page 1 ended at a later row before, as if one of its rows had not been there yet.
    fetcher.execute("""
        UPDATE import_pages SET slices_done = slices_expected,
          cursor = (SELECT cursor FROM import_pages WHERE number = 3)
        WHERE number = 2
    """)
    receive_slice(fetcher, page=2, records=100)

    fetcher.walker.fetch_page(first_page)
    assert fetcher.value("SELECT received FROM import_batches") == 0
    fetcher.walk_to_the_end()

    assert fetcher.value("SELECT fetch_id FROM import_pages WHERE number = 2") > before
    sirets = fetcher.outbox.sirets()
    assert len(sirets) == len(set(sirets)) == 300
