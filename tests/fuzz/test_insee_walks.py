"""Spoiled answers through walker and database: each is counted, and its page comes in the end."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from services.writer.store import SliceStatus, write_slice
from shared.imports.scope import Scope
from tests.fuzz.cases import Fuzz
from tests.fuzz.insee import Spoiled, answer, make_answer, page, recorded_bodies
from tests.fuzz.mutators import dumped
from tests.fuzz.wire import WireServer
from tests.integration.fetcher.conftest import Fetcher, Insee, build_fetcher
from tests.integration.writer.records import Records

_RECORDS = Records()
_MODERN = [_RECORDS.record(number) for number in range(1, 4)]
_OTHERS = recorded_bodies()
_LAST = answer(dumped(page(_MODERN[:1], total=1, next_cursor=None), random.Random(0)))
_LIMIT = 3
_CALM = """UPDATE quota SET paused_until = NULL, adaptation = 1, requests_per_minute = 6000,
  requests_per_hour = NULL, minute_arrival_at = now(), hour_arrival_at = now()"""

_DUE = """UPDATE import_pages SET lease_until = now(), moved_at = '-infinity'
  WHERE slices_expected IS NULL OR slices_done < slices_expected"""


class Walk:
    """A run of one page for each spoiled answer, ended by good ones."""

    def __init__(self, server: WireServer, fetcher: Fetcher) -> None:
        self._server = server
        self._fetcher = fetcher

    def become(self, case: Spoiled) -> str:
        fetcher = self._fetcher
        self._server.respond = lambda _: case
        run = fetcher.order(Scope(departements=("33",)), row_limit=_LIMIT)
        fetcher.planner.turn()
        [message] = fetcher.outbox.pages
        fetcher.outbox.pages.clear()
        self._fetcher.execute(_CALM)
        fetcher.walker.fetch_page(message)
        verdict = self._verdict(run)
        self._server.respond = lambda _: Spoiled(_LAST)
        self._end()
        status = self._one("SELECT status FROM import_runs WHERE id = :run", run=run)
        assert status == ("failed" if verdict == "fail the batch" else "complete"), verdict
        return verdict

    def _verdict(self, run: int) -> str:
        """Judge the walk by its tables."""
        batch = "SELECT status FROM import_batches WHERE run_id = :run"
        fetched = """SELECT p.fetch_id IS NOT NULL FROM import_pages p JOIN import_batches b
          ON b.id = p.batch_id WHERE b.run_id = :run AND p.number = 1"""
        if self._one(batch, run=run) == "failed":
            return "fail the batch"
        if self._one(fetched, run=run):
            return self._write()
        if self._one("SELECT coalesce(paused_until > now(), false) FROM quota"):
            refused = self._one("SELECT error FROM import_runs WHERE id = :run", run=run)
            return "stop: the key is refused" if refused else "slow down: 429"
        leased = """SELECT p.lease_until > now() FROM import_pages p JOIN import_batches b
          ON b.id = p.batch_id WHERE b.run_id = :run AND p.number = 1"""
        assert self._one(leased, run=run), "nobody asks again"
        return "ask again"

    def _write(self) -> str:
        slices, self._fetcher.outbox.slices = self._fetcher.outbox.slices, []
        written = failed = 0
        for each in slices:
            result = write_slice(self._fetcher.engine, each, sole_traders=False)
            assert result.status is SliceStatus.WRITTEN
            found = result.inserted + result.updated + result.unchanged
            assert found + result.failed == result.records
            written, failed = written + found, failed + result.failed
        if failed:
            return "rows and failed items" if written else "failed items"
        return "rows" if written else "zero rows"

    def _end(self) -> None:
        """Whatever is left is asked for again once the delays are over, and ends the run."""
        for _ in range(6):
            self._fetcher.execute(_CALM)
            self._fetcher.execute(_DUE)
            if not self._fetcher.outbox.pages:
                self._fetcher.sweeper.turn()
            while self._fetcher.outbox.pages:
                self._fetcher.walker.fetch_page(self._fetcher.outbox.pages.pop(0))
            self._write()
            if not self._one("SELECT count(*) FROM import_batches WHERE status = 'running'"):
                return
        raise AssertionError("the run does not end")

    def _one(self, query: str, **parameters: object) -> Any:
        [[value]] = self._fetcher.execute(query, **parameters)
        return value


@pytest.fixture
def server() -> Iterator[WireServer]:
    server = WireServer(lambda _: Spoiled(_LAST))
    yield server
    server.close()


@pytest.mark.timeout(900)
def test_each_spoiled_answer_is_counted_and_its_page_comes_in_the_end(
    fuzz: Fuzz, server: WireServer, engine: Any
) -> None:
    fetcher = build_fetcher(engine, Insee(server.url), timeout_seconds=1)
    walk = Walk(server, fetcher)
    tally, generators = fuzz.some("answers of INSEE, walked", 20)
    for rng in generators:
        tally.counts[walk.become(make_answer(_MODERN, _OTHERS, rng))] += 1
    asked = fetcher.value("SELECT count(*) FROM insee_requests WHERE http_status IS NOT NULL")
    assert asked == server.requests, "each request is in the ledger"
    kept = fetcher.value("SELECT count(*) FROM etablissements")
    assert kept >= 1
    assert len(tally.counts) >= 4
