"""The choice of a provider for one text, by weight, or the advice to wait.

While no provider can be asked, the avis waits. After a long outage it waits no longer.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.reviewer.notices.slots import fill
from services.reviewer.providers.bill import CallResult, Messages
from services.reviewer.providers.call import CallWindow, Write
from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.prompt import Prompt
from services.reviewer.providers.settings import Provider, StructuredOutput
from shared.clock import Clock
from shared.errors import SirenadeError, SlowDown
from shared.sirene.facts import Facts

_LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ProviderDraft:
    """A provider's answer. `text` has the facts in its slots; None where no text came."""

    provider: Provider
    result: CallResult
    text: str | None


class ProviderGate(Protocol):
    def usable(self) -> bool:
        """Return whether the provider may be asked now."""
        ...

    def wait_seconds(self) -> float:
        """Return the time until it is worth asking."""
        ...


class ProviderRoute(Protocol):
    """A way to ask a provider: by a call, or in a batch."""

    @property
    def provider(self) -> Provider: ...

    @property
    def gate(self) -> ProviderGate: ...

    def ask(self, write: Write, window: CallWindow, *, first: bool) -> CallResult: ...


class Exhausted(SirenadeError):
    """Raised when no provider has been usable for too long."""


class Providers:
    """Thread-safe. Shares the texts by weight among the routes that are usable."""

    def __init__(
        self, routes: Sequence[ProviderRoute], clock: Clock, *, outage_seconds: float
    ) -> None:
        """After `outage_seconds` without a usable provider, an avis waits no longer."""
        self._routes = tuple(routes)
        self._clock = clock
        self._outage_seconds = outage_seconds
        self._lock = threading.Lock()
        self._credit = {route.provider.name: 0.0 for route in routes}
        self._none_since: float | None = None

    def choose(self, tried: Sequence[str]) -> ProviderRoute | None:
        """Return a usable route, or None where the avis must wait.

        Routes that have not `tried` this text come first. Raises Exhausted when none has been
        usable for too long.
        """
        with self._lock:
            usable = [route for route in self._routes if route.gate.usable()]
            if not usable:
                self._note_outage()
                return None
            fresh = [route for route in usable if route.provider.name not in tried]
            return self._by_weight(fresh or usable)

    def answered(self) -> None:
        self._none_since = None

    def wait_seconds(self) -> float:
        waits = [route.gate.wait_seconds() for route in self._routes]
        return min(_LONGEST_WAIT_SECONDS, max(1.0, min(waits)))

    def _note_outage(self) -> None:
        now = self._clock.monotonic_seconds()
        if self._none_since is None:
            self._none_since = now
        if now - self._none_since >= self._outage_seconds:
            raise Exhausted

    def _by_weight(self, routes: Sequence[ProviderRoute]) -> ProviderRoute:
        """Smooth weighted round robin: the shares are exact, and no route gets a burst."""
        weighted = [route for route in routes if route.provider.weight > 0]
        if not weighted:
            return routes[0]
        for route in weighted:
            self._credit[route.provider.name] += route.provider.weight
        best = max(weighted, key=lambda route: self._credit[route.provider.name])
        self._credit[best.provider.name] -= sum(route.provider.weight for route in weighted)
        return best


class ProviderChoice:
    """Thread-safe. Asks the provider whose turn it is, all with one prompt."""

    def __init__(self, providers: Providers, prompt: Prompt) -> None:
        self._providers = providers
        self._prompt = prompt

    @property
    def prompt_version(self) -> str:
        return self._prompt.version

    def ask(
        self, facts: Facts, reasons: Sequence[str], window: CallWindow, *, failed: Sequence[str]
    ) -> ProviderDraft:
        """Return one draft.

        `reasons` are the codes against earlier drafts; `failed` are providers that brought none.
        Raises Exhausted, or SlowDown when the avis must come again.
        """
        first = not reasons

        def write(structured_output: StructuredOutput) -> Messages:
            return self._prompt.messages(
                facts, json_wanted=structured_output != "plain", reasons=reasons
            )

        while True:
            route = self._providers.choose(failed)
            if route is None:
                raise SlowDown(
                    "no provider can be asked",
                    retry_after_seconds=self._providers.wait_seconds(),
                    reason=CallLimit.OUT_OF_USE,
                )
            try:
                result = route.ask(write, window, first=first)
            except SlowDown as error:
                if error.reason != CallLimit.OUT_OF_USE:
                    raise
                # It went out of use after the choice: there may be another one.
                continue
            if not result.failed:
                self._providers.answered()
            text = result.answer.text
            filled = text if text is None or result.answer.reasons else fill(text, facts)
            return ProviderDraft(route.provider, result, filled)
