"""One text from chat servers: which of them, how often, and when it is better to wait.

Where nobody can be asked, the avis waits; after long enough, it is told that nobody will be.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.reviewer.notices.slots import fill
from services.reviewer.providers.call import CallResult, CallWindow, Write, told_reasons
from services.reviewer.providers.chat import Messages
from services.reviewer.providers.gate import OutOfUse
from services.reviewer.providers.prompt import Prompt
from services.reviewer.providers.settings import Provider, StructuredOutput
from shared.clock import Clock
from shared.sirene.facts import Facts

_LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ProviderDraft:
    """What one provider told, with the facts put in where there is a text."""

    provider: Provider
    told: CallResult
    text: str | None


class ProviderGate(Protocol):
    def usable(self) -> bool:
        """Whether the provider may be asked now."""
        ...

    def wait_seconds(self) -> float:
        """Until it is worth asking."""
        ...


class ProviderRoute(Protocol):
    """To a provider: a call, or a place in a batch."""

    @property
    def provider(self) -> Provider: ...

    @property
    def gate(self) -> ProviderGate: ...

    def ask(self, write: Write, window: CallWindow, *, first: bool) -> CallResult: ...


class Exhausted(Exception):
    """Raised when no provider has been usable for too long."""


class Providers:
    """Thread-safe. Shares the texts out by weight; one that is out of use is passed over."""

    def __init__(
        self, lines: Sequence[ProviderRoute], clock: Clock, *, outage_seconds: float
    ) -> None:
        """After `outage_seconds` without any provider, an avis does not wait any longer."""
        self._lines = tuple(lines)
        self._clock = clock
        self._outage_seconds = outage_seconds
        self._lock = threading.Lock()
        self._credit = {line.provider.name: 0.0 for line in lines}
        self._none_since: float | None = None

    def choose(self, tried: Sequence[str]) -> ProviderRoute | None:
        """One that is usable, best one that has not failed with this text; None: wait.

        Raises Exhausted once nobody has been usable for too long.
        """
        with self._lock:
            usable = [line for line in self._lines if line.gate.usable()]
            if not usable:
                self._note_outage()
                return None
            fresh = [line for line in usable if line.provider.name not in tried] or usable
            return self._by_weight(fresh)

    def answered(self) -> None:
        self._none_since = None

    def wait_seconds(self) -> float:
        waits = [line.gate.wait_seconds() for line in self._lines]
        return min(_LONGEST_WAIT_SECONDS, max(1.0, min(waits)))

    def _note_outage(self) -> None:
        now = self._clock.monotonic_seconds()
        if self._none_since is None:
            self._none_since = now
        if now - self._none_since >= self._outage_seconds:
            raise Exhausted

    def _by_weight(self, lines: Sequence[ProviderRoute]) -> ProviderRoute:
        """Smooth weighted round robin: the shares are exact, and nobody gets a burst."""
        weighted = [line for line in lines if line.provider.weight > 0]
        if not weighted:
            return lines[0]
        for line in weighted:
            self._credit[line.provider.name] += line.provider.weight
        best = max(weighted, key=lambda line: self._credit[line.provider.name])
        self._credit[best.provider.name] -= sum(line.provider.weight for line in weighted)
        return best


class ProviderChoice:
    """Thread-safe; `prompt` is the one of every provider."""

    def __init__(self, providers: Providers, prompt: Prompt) -> None:
        self._providers = providers
        self._prompt = prompt

    @property
    def prompt_version(self) -> str:
        return self._prompt.version

    def ask(
        self, facts: Facts, reasons: Sequence[str], window: CallWindow, *, failed: Sequence[str]
    ) -> ProviderDraft:
        """One draft, after `reasons` against earlier ones and no answer from the `failed`.

        Raises Exhausted, BudgetReached, and SlowDown where the avis had better come again.
        """
        first = not reasons

        def write(structured_output: StructuredOutput) -> Messages:
            return self._prompt.messages(
                facts, json_wanted=structured_output != "plain", reasons=told_reasons(reasons)
            )

        while True:
            line = self._providers.choose(failed)
            if line is None:
                raise OutOfUse(
                    "no provider can be asked", retry_after_seconds=self._providers.wait_seconds()
                )
            try:
                told = line.ask(write, window, first=first)
            except OutOfUse:
                # Between the choice and the call: there may be another one.
                continue
            if not told.failed:
                self._providers.answered()
            text = told.answer.text
            filled = text if text is None or told.answer.reasons else fill(text, facts)
            return ProviderDraft(line.provider, told, filled)
