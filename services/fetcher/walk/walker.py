"""One page from its message to its slices: lease → queue depth → slot → GET → save → publish.

A kill at any point leaves the page standing still, and the sweeper sends it again. A kill before
the save loses a slot at most; after it the page is fetched again under another fetch_id, and the
receipts of the first no longer count.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import structlog

from services.fetcher.insee.answers import (
    AnswerT,
    Informations,
    KeyRefused,
    NoGoodAnswer,
    QueryRefused,
    QuotaExceeded,
)
from services.fetcher.insee.client import InseeClient
from services.fetcher.insee.ledger import Sender
from services.fetcher.insee.quota import Slot
from services.fetcher.plan.page_end import judge_page
from services.fetcher.walk.slices import PageSlice, cut_page
from services.fetcher.walk.store import FetchedPage, PageLease, PageStore
from shared.backoff import doubling
from shared.errors import SlowDown
from shared.logs import name_of, places_of
from shared.messages import FetchPage, WriteSlice
from shared.metrics import Metrics

log = structlog.get_logger()

_MAX_BACKOFF_SECONDS = 300.0
# A page may fail now and then; the run tells of it from this many starts on.
_STARTS_WORTH_TELLING = 3
_KEY_PAUSE_SECONDS = 60.0
_FULL_QUEUE_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Walker:
    """Fetches pages, and asks INSEE what a plan needs to know."""

    pages: PageStore
    sender: Sender
    # Returns once the broker has confirmed the message.
    publish: Callable[[FetchPage | WriteSlice], None]
    slices_ready: Callable[[], int]
    metrics: Metrics
    lease_seconds: float
    slot_patience_seconds: float
    rows_per_page: int
    # The walk pauses while this many slices wait for the writer.
    max_slices_ready: int
    shards: int = 1

    def fetch_page(self, message: FetchPage) -> None:
        """Fetch a page that still needs it; a stale message costs no quota."""
        lease = self.pages.lease_page(
            message.batch_id,
            message.page,
            lease_seconds=self.lease_seconds,
            rows_per_page=self.rows_per_page,
        )
        if lease is None:
            if self.pages.is_cancelled(message.batch_id):
                log.info("page of a cancelled run dropped", batch_id=message.batch_id)
                self.metrics.pages_dropped.inc()
            return
        structlog.contextvars.bind_contextvars(run_id=lease.run_id)
        try:
            self._fetch(lease)
        except (QuotaExceeded, KeyRefused) as error:
            self._release(lease, self._hold_back(error), failed=False)
        except QueryRefused as error:
            log.warning("batch failed", batch_id=lease.batch_id, reason=str(error))
            self.pages.fail_batch(lease.batch_id, str(error))
        except SlowDown as error:
            if not self._release(lease, error.retry_after_seconds, failed=False):
                # The page is saved and the queue of slices full: the message comes again.
                raise
        except NoGoodAnswer as error:
            delay_seconds = doubling(1.0, lease.starts, most=_MAX_BACKOFF_SECONDS)
            log.warning("page not fetched", reason=str(error), again_in_seconds=delay_seconds)
            self._release(lease, delay_seconds)
            if lease.starts >= _STARTS_WORTH_TELLING:
                self.pages.note_error(f"INSEE gives no good answer, asked again later: {error}")
        except Exception as error:
            log.warning("page not fetched", error=name_of(error), at=places_of(error))
            # The broker or the database is away: the next attempt may start at once.
            self._release(lease, 1.0)
            raise

    def count(self, query: str) -> int:
        """Ask how many rows a window holds; costs one slot."""
        return self._ask(lambda insee: insee.search_siret(query, nombre=0)).total

    def ask_informations(self) -> Informations:
        """Ask how far INSEE's data goes; costs one slot."""
        return self._ask(InseeClient.informations)

    def _ask(self, request: Callable[[InseeClient], AnswerT]) -> AnswerT:
        slot = self.sender.quota.take(patience_seconds=self.slot_patience_seconds)
        try:
            return self.sender.send(slot, request)
        except (QuotaExceeded, KeyRefused) as error:
            self._hold_back(error)
            raise

    def _hold_back(self, error: QuotaExceeded | KeyRefused) -> float:
        """Pause the quota for all fetchers; return the seconds of the pause."""
        if isinstance(error, QuotaExceeded):
            return self.sender.quota.give_way(error.retry_after_seconds)
        self.pages.note_error(str(error))
        return self.sender.quota.pause(_KEY_PAUSE_SECONDS)

    def _release(self, lease: PageLease, delay_seconds: float, *, failed: bool = True) -> bool:
        return self.pages.release_page(lease, delay_seconds=delay_seconds, failed=failed)

    def _fetch(self, lease: PageLease) -> None:
        if self.slices_ready() >= self.max_slices_ready:
            raise SlowDown("the writer is behind", retry_after_seconds=_FULL_QUEUE_PAUSE_SECONDS)
        slot = self.sender.quota.take(
            batch_id=lease.batch_id,
            page=lease.page,
            patience_seconds=self.slot_patience_seconds,
        )
        structlog.contextvars.bind_contextvars(fetch_id=slot.fetch_id)
        if self.pages.is_halted(lease.run_id):
            self.sender.quota.give_back(slot)
            self._release(lease, 0.0, failed=False)
            return
        asked = self._rows_to_ask(lease, slot)
        if asked is None:
            return
        answer = self.sender.send(
            slot,
            lambda insee: insee.search_siret(lease.query, nombre=asked, curseur=lease.cursor),
        )
        end = judge_page(
            cursor=lease.cursor,
            next_cursor=answer.next_cursor,
            rows=len(answer.records),
            received_before=lease.received_before,
            total=answer.total,
            row_limit=lease.row_limit,
        )
        slices = cut_page(answer.records, shards=self.shards)
        fetched = FetchedPage(
            fetch_id=slot.fetch_id,
            next_cursor=answer.next_cursor,
            records=len(answer.records),
            slices=len(slices),
            is_last=end.is_last,
            expected=end.expected,
        )
        if not self.pages.save_page(lease, fetched):
            log.warning("answer no longer needed", batch_id=lease.batch_id, page=lease.page)
            return
        self._publish_slices(lease, slot, slices, is_last=end.is_last)
        self.metrics.pages_fetched.inc()
        self.metrics.records_fetched.inc(len(answer.records))
        self.metrics.slices_published.inc(len(slices))

    def _rows_to_ask(self, lease: PageLease, slot: Slot) -> int | None:
        """Return None where the slot's day is a new one, whose share is given out."""
        part = lease.part
        if part is None:
            return lease.rows_wanted
        if part.ends_at is not None and slot.granted_at >= part.ends_at:
            part = self.pages.move_part(lease, part, slot.granted_at)
        return None if part is None else part.rows

    def _publish_slices(
        self, lease: PageLease, slot: Slot, slices: list[PageSlice], *, is_last: bool
    ) -> None:
        for number, each in enumerate(slices):
            self.publish(
                WriteSlice(
                    batch_id=lease.batch_id,
                    page=lease.page,
                    fetch_id=slot.fetch_id,
                    slice=number,
                    fetched_at=slot.granted_at.isoformat(),
                    refresh=lease.refresh,
                    **asdict(each),
                )
            )
        if not is_last:
            self.publish(FetchPage(lease.batch_id, lease.page + 1))
