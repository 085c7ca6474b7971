"""The lookout: it looks at everything every few seconds, whoever asks how things stand.

A page shows the last look: it costs the same with a thousand people before it, and with millions of
rows behind it.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from services.operator.console.settings import ConsoleSettings
from services.operator.monitoring.monitor import Monitor, outside_of
from services.operator.monitoring.readings import Reader
from services.operator.monitoring.snapshot import Snapshot
from shared.clock import Clock
from shared.logs import name_of, places_of

log = structlog.get_logger()

_STALLED_SECONDS = 300.0
_FIRST_LOOK_SECONDS = 3.0


class WorkState(StrEnum):
    MOVING = "moving"
    RESTING = "resting"
    IDLE = "idle"
    STALLED = "stalled"


@dataclass(frozen=True)
class Sight:
    """The last look; `away` says since when the database does not answer."""

    snapshot: Snapshot | None
    state: WorkState
    away: str | None


class Lookout:
    """Looks from a thread of its own, with connections of its own."""

    def __init__(self, settings: ConsoleSettings, engines: Sequence[Engine], clock: Clock) -> None:
        self._monitor = Monitor(Reader(engines, None), outside_of(settings), clock)
        self._engines = engines
        self._clock = clock
        self._every_seconds = settings.console_look_seconds
        self._has_looked = threading.Event()
        self._sight: Sight | None = None
        self._counts: tuple[int, ...] = ()
        self._moved_seconds = 0.0
        self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._clock.stopping.set()
        self._thread.join()
        for engine in self._engines:
            engine.dispose()

    def sight(self) -> Sight | None:
        """Return the last look; None where the first one takes long."""
        self._has_looked.wait(_FIRST_LOOK_SECONDS)
        return self._sight

    def _run(self) -> None:
        while not self._clock.stopping.is_set():
            try:
                self._look()
            except DBAPIError as error:
                log.warning("nothing is seen", error=name_of(error), at=places_of(error))
            self._has_looked.set()
            self._clock.wait(self._every_seconds)

    def _look(self) -> None:
        monitor = self._monitor.look()
        snapshot = monitor.snapshot
        if snapshot is None:
            self._sight = Sight(None, WorkState.IDLE, monitor.away)
            return
        now = self._clock.monotonic_seconds()
        counts = (snapshot.rows.received, snapshot.avis.accepted, snapshot.avis.rejected)
        if counts != self._counts:
            self._counts, self._moved_seconds = counts, now
        still_seconds = now - self._moved_seconds
        self._sight = Sight(
            snapshot, state_of(snapshot, monitor.is_idle, still_seconds), monitor.away
        )


def state_of(snapshot: Snapshot, is_idle: bool, still_seconds: float) -> WorkState:
    """Say how the work stands; `still_seconds` is the time since a row or a text came."""
    if is_idle:
        return WorkState.IDLE
    if snapshot.rows.resting_until is not None or snapshot.spend.paused_because == "asked":
        return WorkState.RESTING
    return WorkState.STALLED if still_seconds > _STALLED_SECONDS else WorkState.MOVING
