"""The choice of a provider for one text, by weight, or the advice to wait.

While no provider can be asked, the avis waits. After a long outage it waits no longer.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from services.reviewer.providers.answers import ModelAnswer
from services.reviewer.providers.batch_route import BatchRoute
from services.reviewer.providers.bill import CallResult, Messages
from services.reviewer.providers.call import CallWindow, ProviderClient
from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.prompt import Prompt
from services.reviewer.providers.settings import Provider, StructuredOutput
from shared.clock import Clock
from shared.errors import SirenadeError, SlowDown
from shared.sirene.facts import Facts

_LONGEST_WAIT_SECONDS = 60.0

ProviderRoute = ProviderClient | BatchRoute
"""A way to ask a provider: by a call, or in a batch."""


@dataclass(frozen=True, slots=True)
class ProviderDraft:
    """A provider's answer. `filled` has the facts in its slots."""

    provider: Provider
    result: CallResult
    filled: ModelAnswer


class Exhausted(SirenadeError):
    """Raised when no provider has been usable for too long."""


class ProviderChoice:
    """Thread-safe. Shares the texts by weight among the routes that are usable, with one prompt."""

    def __init__(
        self, routes: Sequence[ProviderRoute], prompt: Prompt, clock: Clock, outage_seconds: float
    ) -> None:
        """After `outage_seconds` without a usable provider, an avis waits no longer."""
        self._routes = tuple(routes)
        self._prompt = prompt
        self._clock = clock
        self._outage_seconds = outage_seconds
        self._lock = threading.Lock()
        self._route_of = {route.provider.name: route for route in routes}
        self._credit = {route.provider.name: 0.0 for route in routes}
        self._none_since: float | None = None

    @property
    def prompt_version(self) -> str:
        return self._prompt.version

    def ask(
        self, facts: Facts, reasons: Sequence[str], window: CallWindow, *, failed: Sequence[str]
    ) -> ProviderDraft:
        """Return one draft.

        `reasons` are the codes against earlier drafts; `failed` are providers that brought none:
        the others come first. Raises Exhausted, or SlowDown when the avis must come again.
        """

        def write(structured_output: StructuredOutput) -> Messages:
            json_wanted = structured_output != "plain"
            return self._prompt.messages(facts, json_wanted=json_wanted, reasons=reasons)

        while True:
            route = self._choose(failed)
            try:
                result = route.ask(write, window, first=not reasons)
            except SlowDown as error:
                if error.reason != CallLimit.OUT_OF_USE:
                    raise
                # It went out of use after the choice: there may be another one.
                continue
            if not result.failed:
                self._none_since = None
            return ProviderDraft(route.provider, result, result.answer.filled(facts))

    def judge(self, draft: ProviderDraft, *, accepted: bool) -> None:
        """Tell the provider's route the verdict on the draft."""
        if not draft.result.failed:
            self._route_of[draft.provider.name].judge(accepted=accepted)

    def _choose(self, failed: Sequence[str]) -> ProviderRoute:
        with self._lock:
            usable = [route for route in self._routes if route.wait_seconds() <= 0]
            if usable:
                fresh = [route for route in usable if route.provider.name not in failed]
                return self._by_weight(fresh or usable)
            now = self._clock.monotonic_seconds()
            if self._none_since is None:
                self._none_since = now
            if now - self._none_since >= self._outage_seconds:
                raise Exhausted
        shortest = min(route.wait_seconds() for route in self._routes)
        wait_seconds = min(_LONGEST_WAIT_SECONDS, max(1.0, shortest))
        raise CallLimit.OUT_OF_USE.error("no provider can be asked", wait_seconds)

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
