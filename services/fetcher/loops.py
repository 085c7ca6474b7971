"""The loops of the fetcher: the planner of runs, and the sweeper of pages that stand still."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from services.fetcher.insee.answers import Informations, InseeError, NoGoodAnswer, QueryRefused
from services.fetcher.plan import deltas
from services.fetcher.plan.deltas import DeltaOrder, NoWatermark, RunDraft
from services.fetcher.plan.windows import (
    MOST_ROWS_UNCUT,
    PlannedBatch,
    is_whole_register,
    make_plan,
    windows_of,
)
from services.fetcher.store import ImportStore, PendingRun
from services.fetcher.walk.store import PageStore
from shared.days import FRANCE
from shared.errors import SirenadeError, SlowDown
from shared.imports.scope import Scope
from shared.imports.treatments import TreatmentWindow
from shared.messages import FetchPage
from shared.metrics import Metrics

log = structlog.get_logger()

# Counts take slots as pages do: an INSEE that is down is not asked every second.
_NO_ANSWER_SECONDS = 30.0
# INSEE publishes every night; a delta may begin too early, never too late.
_DAYS_BEFORE = 7
# A page whose message is in flight is leased within this time, unless messages wait in the queue.
_UNFETCHED_SECONDS = 15.0
# Within this time a page has its turn in a queue that other batches never leave empty. If it waits
# longer, the second of its messages finds the page complete and costs nothing.
_UNFETCHED_BEHIND_OTHERS_SECONDS = 150.0


class RunHalted(SirenadeError):
    """Raised when a run is paused or cancelled while it is planned."""


@dataclass(frozen=True)
class Planner:
    """Turns pending runs into batches, and keeps `parallel_batches` of them running."""

    store: ImportStore
    publish: Callable[[FetchPage], None]
    count: Callable[[str], int]
    parallel_batches: int
    # Longer than one count can take: the lease is renewed before each count.
    lease_seconds: float
    informations: Callable[[], Informations]
    # A delta that waits for INSEE asks again after this time.
    poll_seconds: float = 180.0
    most_rows_of_delta: int = MOST_ROWS_UNCUT

    # Bad answers of /informations before an import of the whole register goes on without them.
    most_unanswered: int = 20
    _unanswered: dict[int, int] = field(default_factory=dict)

    # Counts of runs that are not planned yet: a failed count does not repeat those before it.
    _counted: dict[tuple[int, str], int] = field(default_factory=dict)

    def turn(self) -> None:
        for collection in self.store.settle_windows():
            log.info("watermark moved", collection=collection)
        run = self.store.lease_pending_run(lease_seconds=self.lease_seconds)
        if run is not None:
            self._plan(run)
        self._activate()

    def _activate(self) -> None:
        for page in self.store.activate_batches(self.parallel_batches):
            self.publish(page)

    def _plan(self, run: PendingRun) -> None:
        try:
            draft = self._draft(run)
        except RunHalted:
            self._counted.clear()
            return
        except (QueryRefused, NoWatermark) as error:
            self._counted.clear()
            self.store.fail_run(run.run_id, str(error))
            return
        except (InseeError, SlowDown) as error:
            log.warning("run not planned yet", run_id=run.run_id, reason=str(error))
            seconds, told = 0.0, None
            # All other errors pause the quota itself.
            if isinstance(error, NoGoodAnswer):
                seconds = _NO_ANSWER_SECONDS
                told = f"INSEE gives no good answer, asked again later: {error}"
            self.store.postpone_run(run.run_id, seconds, error=told)
            return
        if draft is None:
            return
        self._counted.clear()
        self.store.insert_plan(run.run_id, draft)
        log.info("run planned", run_id=run.run_id, batches=len(draft.plan))

    def _draft(self, run: PendingRun) -> RunDraft | None:
        """Plan a run; return None where it is a delta that waits for INSEE."""
        if run.delta is not None:
            return self._draft_delta(run, run.delta)
        windows, warning = self._windows_of(run)
        plan = make_plan(
            run.scope,
            row_limit=run.row_limit,
            walkers=self.parallel_batches,
            count=partial(self._count, run),
        )
        return RunDraft(plan, windows, warning)

    def _windows_of(self, run: PendingRun) -> tuple[Sequence[TreatmentWindow], str | None]:
        """Return what the import of a scope brings whole, and a warning where nobody can say it.

        INSEE is asked before the counts: the next delta brings what it treats from then on. A bad
        answer is asked for again; only where it stays bad does the import go on without.
        """
        bounds: Mapping[str, datetime] | None = {}
        if not is_whole_register(run.scope, run.row_limit):
            is_part = run.row_limit is None and not run.scope.sirets
            bounds = self.store.first_windows(run.run_id) if is_part else None
        if bounds is None:
            return [], None
        try:
            return deltas.whole_windows(self.informations().collections, bounds), None
        except NoGoodAnswer as error:
            self._unanswered[run.run_id] = self._unanswered.get(run.run_id, 0) + 1
            if self._unanswered[run.run_id] < self.most_unanswered:
                raise
            log.warning("import sets no watermark", run_id=run.run_id, reason=str(error))
            today = datetime.now(FRANCE).date()
            return [], (
                f"the import sets no watermark, INSEE does not say how far it is ({error}): "
                f"give the first delta --since {today - timedelta(days=_DAYS_BEFORE)}"
            )

    def _draft_delta(self, run: PendingRun, order: DeltaOrder) -> RunDraft | None:
        insee = self.informations().collections
        decision = deltas.decide(order, insee, self.store.read_watermarks())
        warning = "; ".join(decision.held_up) or None
        if warning is not None and order.wait_seconds > 0:
            log.info("delta waits", run_id=run.run_id, reason=warning)
            seconds = min(self.poll_seconds, order.wait_seconds)
            self.store.postpone_run(run.run_id, seconds, warning=warning)
            return None
        scopes = self.store.read_scopes(order)
        plan = deltas.make_delta_plan(
            decision.windows,
            scopes,
            count=partial(self._count, run),
            most_rows=self.most_rows_of_delta,
        )
        if decision.windows and (left := self.store.read_leavers(scopes)):
            plan += [PlannedBatch(window) for window in windows_of(Scope(sirets=left))]
        return RunDraft(plan, decision.windows, warning)

    def _count(self, run: PendingRun, query: str) -> int:
        key = (run.run_id, query)
        if key not in self._counted:
            if not self.store.postpone_run(run.run_id, self.lease_seconds):
                raise RunHalted
            # The counts of a long plan must not hold up the batches of other runs.
            self._activate()
            self._counted[key] = self.count(query)
        return self._counted[key]


@dataclass(frozen=True)
class Sweeper:
    """Sends pages again that stand still after a lost message, a kill, or a lost slice."""

    pages: PageStore
    publish: Callable[[FetchPage], None]
    pages_ready: Callable[[], int]
    slices_ready: Callable[[], int]
    unwritten_seconds: float
    metrics: Metrics

    def turn(self) -> None:
        # While messages wait in a queue, a page that stands still may only wait for its turn.
        still = self.pages.sweep(
            unfetched_seconds=(
                _UNFETCHED_BEHIND_OTHERS_SECONDS if self.pages_ready() else _UNFETCHED_SECONDS
            ),
            unwritten_seconds=self.unwritten_seconds,
            slices_wait=self.slices_ready() > 0,
        )
        for page in still:
            self.publish(page)
        self.metrics.pages_resent.inc(len(still))
