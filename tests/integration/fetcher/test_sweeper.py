"""A page that a queue lost is sent again; a page that waits its turn is not."""

import pytest

from tests.integration.fetcher.conftest import MakeFetcher, StartInsee


@pytest.mark.parametrize("waiting", ["pages", "slices"])
def test_a_lost_page_is_sent_again_though_other_runs_keep_the_queues_full(
    waiting: str, start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(departements=("33", "24"), establishments=200))
    fetcher.order_departements("33")
    fetcher.order_departements("24")
    fetcher.planner.turn()
    fetcher.planner.turn()
    lost, other = fetcher.outbox.pages
    fetcher.walker.fetch_page(lost)
    fetcher.walker.fetch_page(other)
    fetcher.outbox.pages.clear()
    if waiting == "slices":
        # The slices that were published after the lost ones were written long ago.
        fetcher.slices_ready[0] = 50
        moved = "UPDATE import_pages SET moved_at = now() - interval '1 hour'"
        written = "UPDATE import_pages SET slices_done = slices_expected WHERE batch_id = :batch"
    else:
        fetcher.outbox.pages = [other] * 3
        moved = """UPDATE import_pages SET moved_at = now() - interval '1 hour', fetch_id = NULL,
            slices_expected = NULL"""
        written = "DELETE FROM import_pages WHERE batch_id = :batch"
    fetcher.execute(moved)
    fetcher.execute(written, batch=other.batch_id)

    fetcher.sweeper.turn()

    assert lost in fetcher.outbox.pages


def test_a_page_whose_slices_wait_their_turn_is_left_alone(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=200))
    fetcher.plan("33")
    fetcher.walk_to_the_end()
    fetcher.execute("UPDATE import_pages SET moved_at = now() - interval '1 hour'")
    fetcher.slices_ready[0] = 50

    fetcher.sweeper.turn()

    assert fetcher.outbox.pages == []


def test_a_released_page_does_not_wait_for_the_queues_to_be_empty(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=200))
    fetcher.plan("33")
    message = fetcher.outbox.pages.pop()
    fetcher.slices_ready[0] = 100
    fetcher.walker.fetch_page(message)
    # The delay is over.
    fetcher.execute("UPDATE import_pages SET lease_until = now()")
    fetcher.slices_ready[0] = 99

    fetcher.sweeper.turn()

    assert fetcher.outbox.pages == [message]
