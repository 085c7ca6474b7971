"""A bad answer of INSEE or of a queue delays a page at most, and a refusal is told."""

import threading
from unittest.mock import Mock

import pytest
from requests.structures import CaseInsensitiveDict

from services.fetcher.insee.answers import refusal
from services.fetcher.insee.client import InseeClient
from shared.broker.errors import QueueFull
from shared.errors import SlowDown
from tests.integration.fetcher.conftest import MakeFetcher, StartInsee


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
    fetcher.plan("33")
    insee.set_faults(**fault)
    fetcher.walk_to_the_end()
    assert fetcher.outbox.slices == []
    assert fetcher.value("SELECT status FROM import_batches") == "running"
    assert fetcher.value("SELECT lease_until > now() FROM import_pages") is True

    # The delay is over.
    fetcher.execute("UPDATE import_pages SET lease_until = now()")
    fetcher.execute("UPDATE quota SET paused_until = NULL")
    fetcher.sweeper.turn()
    fetcher.walk_to_the_end()

    assert len(fetcher.outbox.sirets()) == 300
    # The two of the plan and each attempt took a slot: the client repeated none by itself.
    assert insee.quota()["requests"] == 2 + 2
    assert fetcher.value("SELECT count(*) FROM insee_requests") == 2 + 2


def test_a_429_holds_back_every_replica_at_once(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(establishments=300, rate_headers=False)
    throttled, other = make_fetcher(insee), make_fetcher(insee)
    throttled.plan("33")
    insee.set_faults(next_429=1)
    throttled.walk_to_the_end()

    paused = "SELECT extract(epoch FROM paused_until - now()) FROM quota"
    assert other.value(paused) > 5
    waiting = threading.Thread(target=lambda: other.quota.take(patience_seconds=20), daemon=True)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive(), "another replica was granted a slot during the pause"
    other.execute("UPDATE quota SET paused_until = NULL")
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_refused_query_fails_its_batch_and_is_not_sent_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee()
    fetcher = make_fetcher(insee)
    fetcher.plan("33")
    fetcher.execute("UPDATE import_batches SET query = 'siret:[9 TO'")
    message = fetcher.outbox.pages[0]
    fetcher.walk_to_the_end()
    fetcher.walker.fetch_page(message)

    assert insee.quota()["requests"] == 2 + 1
    assert fetcher.value("SELECT status FROM import_batches") == "failed"
    assert fetcher.value("SELECT status FROM import_runs") == "failed"
    assert "400" in fetcher.value("SELECT error FROM import_runs")


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
    fetcher.plan("33", row_limit=row_limit)
    fetcher.walk_to_the_end()

    error = fetcher.value("SELECT error FROM import_runs")
    assert "SIRENADE_INSEE_KEY" in error
    assert fetcher.value(f"SELECT status FROM {table}") == status
    assert fetcher.value("SELECT paused_until > now() FROM quota") is True


def test_a_page_whose_slices_could_not_be_published_is_fetched_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.plan("33")
    message = fetcher.outbox.pages.pop()
    fetcher.outbox.error = ConnectionError()
    with pytest.raises(ConnectionError):
        fetcher.walker.fetch_page(message)
    fetcher.outbox.error = None

    fetcher.sweeper.turn()
    fetcher.walk_to_the_end()

    assert len(fetcher.outbox.sirets()) == 50


def test_a_429_during_a_count_holds_back_every_replica_and_fails_nothing(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    insee = start_insee(departements=("33", "24"), establishments=100, rate_headers=False)
    fetcher = make_fetcher(insee)
    insee.set_faults(next_429=1)
    fetcher.plan("33", "24", row_limit=10)

    assert fetcher.value("SELECT paused_until > now() FROM quota") is True
    assert fetcher.value("SELECT status FROM import_runs") == "pending"
    fetcher.execute("UPDATE quota SET paused_until = NULL")
    fetcher.planner.turn()
    assert fetcher.value("SELECT status FROM import_runs") == "running"


def test_a_full_queue_in_the_middle_of_a_page_sends_the_page_again(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.plan("33")
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
    fetcher.plan("33")
    message = fetcher.outbox.pages[0]
    fetcher.execute("UPDATE import_pages SET starts = 5000")
    insee.set_faults(next_errors=1, error_status=503)

    fetcher.walker.fetch_page(message)
    assert fetcher.value("SELECT lease_until > now() FROM import_pages") is True

    fetcher.execute("UPDATE import_pages SET starts = 0, lease_until = NULL")
    fetcher.slices_ready[0] = 100
    fetcher.walker.fetch_page(message)
    assert fetcher.value("SELECT starts FROM import_pages") == 0


def test_a_refused_refetch_does_not_fail_a_batch_that_is_complete(
    start_insee: StartInsee, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.plan("33")
    batch_id = fetcher.outbox.pages[0].batch_id
    fetcher.execute("UPDATE import_batches SET status = 'complete'")

    fetcher.pages.fail_batch(batch_id, "400")

    assert fetcher.value("SELECT status FROM import_batches") == "complete"


def test_a_refusal_in_words_that_no_column_holds_still_fails_its_batch(
    start_insee: StartInsee, make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher = make_fetcher(start_insee(establishments=50))
    fetcher.plan("33")
    body = b'{"header":{"message":"no\\u0000pe"}}'
    refused = refusal(400, CaseInsensitiveDict(), body, str)
    monkeypatch.setattr(InseeClient, "search_siret", Mock(side_effect=refused))
    fetcher.walk_to_the_end()
    assert fetcher.value("SELECT error FROM import_runs") == r"INSEE answers 400: no\x00pe"
