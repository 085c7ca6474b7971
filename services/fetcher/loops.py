"""The fetcher's rounds: plan what people asked for, start batches, send still pages again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from services.fetcher.insee import InseeError, KeyRefused, QueryRefused
from services.fetcher.planning import Window, allot, windows_of
from services.fetcher.store import ImportStore, PendingRun
from services.fetcher.walking import Publisher
from shared.errors import SlowDown
from shared.messages import FetchPage
from shared.metrics import Metrics

log = structlog.get_logger()

# Longer than the counts of a plan's windows can take.
_PLAN_LEASE_SECONDS = 600.0
# A page whose message is in flight is leased within this time, or its queue is not empty.
_UNFETCHED_SECONDS = 15.0


@dataclass(frozen=True)
class Planner:
    """Turns pending runs into batches and keeps so many batches running."""

    store: ImportStore
    publisher: Publisher
    count: Callable[[str], int]
    parallel_batches: int

    def turn(self) -> None:
        run = self.store.lease_pending_run(lease_seconds=_PLAN_LEASE_SECONDS)
        if run is not None:
            self._plan(run)
        for batch_id, page in self.store.activate_batches(self.parallel_batches):
            self.publisher.publish_page(FetchPage(batch_id, page))

    def _plan(self, run: PendingRun) -> None:
        windows = windows_of(departements=run.departements, communes=run.communes)
        try:
            plan = self._allotted(windows, run.row_limit)
        except QueryRefused as error:
            self.store.fail_run(run.run_id, str(error))
            return
        except (InseeError, SlowDown) as error:
            if isinstance(error, KeyRefused):
                self.store.note_error(str(error))
            log.warning("run not planned yet", run_id=run.run_id, reason=str(error))
            self.store.release_run(run.run_id)
            return
        self.store.insert_plan(run.run_id, plan)
        log.info("run planned", run_id=run.run_id, batches=len(plan))

    def _allotted(
        self, windows: Sequence[Window], row_limit: int | None
    ) -> list[tuple[Window, int | None]]:
        """Give each window its share of the limit; a single one needs no count to know it."""
        if row_limit is None or len(windows) == 1:
            return [(window, row_limit) for window in windows]
        shares = allot([self.count(window.query) for window in windows], row_limit)
        return [(window, share) for window, share in zip(windows, shares, strict=True) if share]


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
        # While messages wait in a queue, a page that stands still is only waiting its turn.
        if self.pages_ready() > 0 or self.slices_ready() > 0:
            return
        pages = self.store.sweep(
            unfetched_seconds=_UNFETCHED_SECONDS, unwritten_seconds=self.unwritten_seconds
        )
        for batch_id, page in pages:
            self.publisher.publish_page(FetchPage(batch_id, page))
        self.metrics.pages_resent.inc(len(pages))
