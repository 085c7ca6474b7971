"""The fetcher's rounds: plan what people asked for, start batches, send still pages again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from services.fetcher.insee import InseeError, QueryRefused
from services.fetcher.planning import Window, allot, windows_of
from services.fetcher.store import ImportStore, PendingRun
from services.fetcher.walking import Publisher
from shared.errors import SlowDown
from shared.messages import FetchPage
from shared.metrics import Metrics

log = structlog.get_logger()

# A page whose message is in flight is leased within this time, or its queue is not empty.
_UNFETCHED_SECONDS = 15.0
# By now it has had its turn in a queue that other batches never leave empty. A second message for
# a page that waits all the same finds it complete, and costs nothing.
_UNFETCHED_BEHIND_OTHERS_SECONDS = 150.0


@dataclass(frozen=True)
class Planner:
    """Turns pending runs into batches and keeps so many batches running."""

    store: ImportStore
    publisher: Publisher
    count: Callable[[str], int]
    parallel_batches: int
    # Longer than one count can take: the lease is renewed before each.
    lease_seconds: float

    def turn(self) -> None:
        run = self.store.lease_pending_run(lease_seconds=self.lease_seconds)
        if run is not None:
            self._plan(run)
        for batch_id, page in self.store.activate_batches(self.parallel_batches):
            self.publisher.publish_page(FetchPage(batch_id, page))

    def _plan(self, run: PendingRun) -> None:
        windows = windows_of(departements=run.departements, communes=run.communes)
        try:
            plan = self._allotted(run, windows)
        except QueryRefused as error:
            self.store.fail_run(run.run_id, str(error))
            return
        except (InseeError, SlowDown) as error:
            log.warning("run not planned yet", run_id=run.run_id, reason=str(error))
            self.store.release_run(run.run_id)
            return
        self.store.insert_plan(run.run_id, plan)
        log.info("run planned", run_id=run.run_id, batches=len(plan))

    def _allotted(
        self, run: PendingRun, windows: Sequence[Window]
    ) -> list[tuple[Window, int | None]]:
        """Give each window its share of the limit; a single one needs no count to know it."""
        if run.row_limit is None or len(windows) == 1:
            return [(window, run.row_limit) for window in windows]
        # Lazily: windows beyond the limit cost no request.
        totals = (self._count(run, window) for window in windows)
        shares = allot(totals, run.row_limit)
        return [(window, share) for window, share in zip(windows, shares, strict=False) if share]

    def _count(self, run: PendingRun, window: Window) -> int:
        self.store.renew_run(run.run_id, lease_seconds=self.lease_seconds)
        return self.count(window.query)


@dataclass(frozen=True)
class Sweeper:
    """Sends pages again that stand still: a lost message, a killed process, a lost slice."""

    store: ImportStore
    publisher: Publisher
    pages_ready: Callable[[], int]
    slices_ready: Callable[[], int]
    unwritten_seconds: float
    metrics: Metrics

    def turn(self) -> None:
        # While messages wait in a queue, a page that stands still may only be waiting its turn.
        pages = self.store.sweep(
            unfetched_seconds=(
                _UNFETCHED_BEHIND_OTHERS_SECONDS if self.pages_ready() else _UNFETCHED_SECONDS
            ),
            unwritten_seconds=self.unwritten_seconds,
            slices_wait=self.slices_ready() > 0,
        )
        for batch_id, page in pages:
            self.publisher.publish_page(FetchPage(batch_id, page))
        self.metrics.pages_resent.inc(len(pages))
