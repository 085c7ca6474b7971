"""The gate through which all calls of a process to a provider go.

A pause holds for all callers. If each caller waited out its own Retry-After, all would ask together
again and meet the next 429.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf

from services.reviewer.providers.adaptive_size import Size
from services.reviewer.providers.circuit_breaker import Circuit, State
from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.token_bucket import Bucket, read_allowance
from shared.backoff import doubling
from shared.clock import Clock
from shared.errors import SlowDown
from shared.metrics import Metrics

_PAUSE_SECONDS = 2.0
"""The pause after a 429 that names no time."""
# A server that answers nothing but 429 is asked ever less often, whatever time it names.
_FIRST_PAUSE_SECONDS = 0.25
_MOST_PAUSE_SECONDS = 60.0
# An avis that finds no room looks for it again after this, however long a server says.
_MOST_LATE_SECONDS = 300.0
# Callers look up this often, so that a process that is told to stop ends soon.
_LOOK_UP_SECONDS = 1.0


class End(Enum):
    """The end of a call that was let in."""

    ANSWERED = "answered"
    # It was answered, and took more than it could.
    OVERBILLED = "overbilled"
    THROTTLED = "throttled"
    FAILED = "failed"
    REFUSED = "refused"
    NOT_MADE = "not made"


@dataclass(frozen=True, slots=True)
class Entry:
    """A call that was let in. The caller hands it to `leave` once."""

    at: float
    full: bool
    probe: bool
    marks: Mapping[str, float]


class Gate:
    """Thread-safe. One caller waits for room, the others for their turn: few threads wake up."""

    def __init__(self, provider: str, *, most: int, clock: Clock, metrics: Metrics) -> None:
        self.provider = provider
        self._clock = clock
        self._metrics = metrics
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._size = Size(most)
        self._circuit = Circuit()
        self._buckets = {"requests": Bucket(), "tokens": Bucket()}
        self._inside = 0
        self._paused_until = 0.0
        self._throttled_at = -inf
        self._bursts = 0
        metrics.declare_provider(provider)
        self._report()

    @property
    def size(self) -> int:
        return self._size.value

    def wait_seconds(self) -> float:
        """Return the time until the provider is worth another call, even if by a probe only."""
        with self._changed:
            return self._circuit.wait_seconds(self._clock.monotonic_seconds())

    def paused_seconds(self) -> float:
        """Return what is left of the pause after a 429."""
        with self._changed:
            return max(0.0, self._paused_until - self._clock.monotonic_seconds())

    def enter(self, tokens: int, *, latest: float) -> Entry:
        """Wait for room until `latest` on the monotonic clock, then let the call in.

        Raises SlowDown: OUT_OF_USE when the circuit is open, LATE when room cannot come in time.
        """
        left = latest - self._clock.monotonic_seconds()
        if left <= 0 or not self._turn.acquire(timeout=left):
            raise self._late(1)
        try:
            with self._changed:
                return self._wait(tokens, latest)
        finally:
            self._turn.release()

    def leave(
        self,
        entry: Entry,
        end: End,
        *,
        latency_seconds: float = 0.0,
        headers: Mapping[str, str] | None = None,
        retry_after_seconds: float | None = None,
    ) -> bool:
        """End a call; return whether it took the provider out of use."""
        with self._changed:
            now = self._clock.monotonic_seconds()
            self._inside -= 1
            before = self._circuit.state
            self._learn(entry, headers or {}, now)
            match end:
                case End.ANSWERED | End.OVERBILLED:
                    self._bursts = 0
                    self._size.succeeded(latency_seconds, full=entry.full)
                    self._circuit.succeeded(probe=entry.probe)
                case End.THROTTLED:
                    self._throttle(entry, retry_after_seconds, now)
                case End.FAILED:
                    self._circuit.failed(now, probe=entry.probe)
                case End.REFUSED:
                    self._circuit.refused(now)
                case End.NOT_MADE:
                    self._circuit.abandoned(now, probe=entry.probe)
            self._report()
            self._changed.notify()
            return end is not End.NOT_MADE and before < self._circuit.state is State.OPEN

    def pause(self, seconds: float) -> None:
        """Let no call in for these seconds: another replica was told to wait."""
        with self._changed:
            until = self._clock.monotonic_seconds() + seconds
            self._paused_until = max(self._paused_until, until)

    def _wait(self, tokens: int, latest: float) -> Entry:
        amounts = {"requests": 1, "tokens": tokens}
        while True:
            now = self._clock.monotonic_seconds()
            if self._clock.stopping.is_set():
                raise CallLimit.LATE.error("stopping", 1)
            closed = self._circuit.wait_seconds(now)
            if closed > 0:
                raise CallLimit.OUT_OF_USE.error(f"{self.provider} is out of use", closed)
            buckets = [
                bucket.wait_seconds(amounts[kind], now) for kind, bucket in self._buckets.items()
            ]
            timed = max(self._paused_until - now, *buckets)
            if now + timed > latest or now >= latest:
                raise self._late(max(1.0, timed))
            full = self._inside >= self._size.value
            if timed <= 0 and not full:
                return self._let_in(amounts, now)
            wait = timed if timed > 0 else latest - now
            self._changed.wait(min(wait, _LOOK_UP_SECONDS))

    def _late(self, retry_after_seconds: float) -> SlowDown:
        seconds = min(retry_after_seconds, _MOST_LATE_SECONDS)
        return CallLimit.LATE.error(f"no room at {self.provider} in time", seconds)

    def _let_in(self, amounts: Mapping[str, int], now: float) -> Entry:
        self._inside += 1
        entry = Entry(
            at=now,
            full=self._inside >= self._size.value,
            probe=self._circuit.begin(),
            marks={kind: self._buckets[kind].take(amounts[kind], now) for kind in amounts},
        )
        self._report()
        return entry

    def _learn(self, entry: Entry, headers: Mapping[str, str], now: float) -> None:
        for kind, bucket in self._buckets.items():
            allowance = read_allowance(headers, kind)
            if allowance is not None:
                bucket.learn(allowance, sent_at=entry.at, mark=entry.marks[kind], now=now)

    def _throttle(self, entry: Entry, retry_after_seconds: float | None, now: float) -> None:
        # A provider that answers 429 works: it was asked too much.
        self._circuit.succeeded(probe=entry.probe)
        same_burst = entry.at <= self._throttled_at
        if not same_burst:
            self._bursts += 1
        pause = max(
            _PAUSE_SECONDS if retry_after_seconds is None else retry_after_seconds,
            doubling(_FIRST_PAUSE_SECONDS, self._bursts - 1, most=_MOST_PAUSE_SECONDS),
        )
        self._paused_until = max(self._paused_until, now + pause)
        if same_burst:
            return  # It was sent before the last cut.
        self._throttled_at = now
        self._size.throttled()
        self._metrics.gate_pauses.labels(provider=self.provider).inc()

    def _report(self) -> None:
        self._metrics.gate_size.labels(provider=self.provider).set(self._size.value)
        self._metrics.gate_inside.labels(provider=self.provider).set(self._inside)
        self._metrics.circuit_state.labels(provider=self.provider).set(self._circuit.state)
