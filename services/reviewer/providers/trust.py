"""The trust in a provider, which all replicas share.

It is lost when 20 texts in a row were refused, or when a call billed more than it can take. Then
nobody asks, until one text finds out. Pure: time is an argument.
"""

import datetime as dt
from dataclasses import dataclass, replace

from services.reviewer.providers.circuit_breaker import State
from shared.backoff import doubling

REFUSALS = 20
FIRST_DOUBT_SECONDS = 300.0
MOST_DOUBT_SECONDS = 3600.0
TRIAL_SECONDS = 120.0
"""A text that finds out may be lost on its way; after this time another one may."""


@dataclass(frozen=True, slots=True)
class Trust:
    """`refused` texts in a row, `doubts` in a row; `until` is None where it is not doubted.

    `on_trial` says that one text is on its way to find out.
    """

    refused: int = 0
    doubts: int = 0
    until: dt.datetime | None = None
    on_trial: bool = False

    @property
    def state(self) -> State:
        if self.until is None:
            return State.CLOSED
        return State.PROBING if self.on_trial else State.OPEN

    def left_seconds(self, now: dt.datetime) -> float:
        """Return the time until a text may be asked for; 0 means now."""
        left = 0.0 if self.until is None else (self.until - now).total_seconds()
        # No doubt is longer: the server's clock was ahead when such a row was written.
        return left if 0 < left <= MOST_DOUBT_SECONDS else 0.0

    def tried(self, now: dt.datetime) -> "Trust":
        """Begin the text that finds out, where one may be asked for."""
        if self.until is None or self.left_seconds(now) > 0:
            return self
        return replace(self, until=now + dt.timedelta(seconds=TRIAL_SECONDS), on_trial=True)

    def judged(self, now: dt.datetime, *, accepted: bool) -> "Trust":
        """Note a verdict. Texts that were on their way when a doubt began make it no longer."""
        if accepted:
            late = self.until is not None and self.refused < REFUSALS and not self.on_trial
            # Only the text that finds out ends the doubt of one that billed too much.
            return replace(self, refused=0) if late else Trust()
        refused = self.refused + 1
        if self.until is not None and not self.on_trial:
            return replace(self, refused=refused)
        if refused < REFUSALS:
            return Trust(refused=refused)
        return self._doubted(now, refused)

    def overbilled(self, now: dt.datetime) -> "Trust":
        """Note that a call billed more than it can take: the next one would, too."""
        return self._doubted(now, refused=0)

    def _doubted(self, now: dt.datetime, refused: int) -> "Trust":
        seconds = doubling(FIRST_DOUBT_SECONDS, self.doubts, most=MOST_DOUBT_SECONDS)
        until = now + dt.timedelta(seconds=seconds)
        return Trust(refused=refused, doubts=self.doubts + 1, until=until)
