"""One avis from facts to verdict. A text is accepted only when no reason stands against it.

Chat servers, where there are any, are asked first and at most three times, each time with the
reasons against the earlier texts. The template has the last word.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf

import structlog

from services.reviewer.notices.template import GeneratedText
from services.reviewer.providers.answers import UNAVAILABLE
from services.reviewer.providers.batch_route import WaitForBatch
from services.reviewer.providers.call import CallWindow
from services.reviewer.providers.choice import Exhausted, ProviderChoice, ProviderDraft
from services.reviewer.providers.gate import Late, OutOfUse
from services.reviewer.providers.meter import BudgetReached
from shared.errors import SlowDown
from shared.logs import places_of
from shared.metrics import Metrics
from shared.sirene.facts import Facts

log = structlog.get_logger()

ASKS = 3
BY_A_MODEL = "trainedAlgorithmicMedia"
"""IPTC's term for a text that a trained model wrote."""
NO_HURRY = CallWindow(begin_by=inf, finish_by=inf)
# The message is given back when it returns: whatever was resumed meanwhile goes on at once.
_BUDGET_PAUSE_SECONDS = 1.0

GENERATOR_FAILED = "generator_failed"
"""The reason of an attempt that brought no text because the generator itself broke."""


@dataclass(frozen=True, slots=True)
class Generator:
    """A way to write texts; `model` and `prompt_version` name it where it brings no text."""

    model: str
    prompt_version: str
    generate: Callable[[Facts], GeneratedText]


Validate = Callable[[str, Facts], Sequence[str]]
"""The codes of every reason against a text; none for a text that may be published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call of a generator and its verdict, accepted when `reasons` is empty.

    `text` and `digital_source_type` are None where the generator brought nothing; `error` is then
    the class of its error, never its message: that may hold facts.
    """

    model: str
    prompt_version: str
    reasons: tuple[str, ...]
    latency_seconds: float
    text: str | None = None
    digital_source_type: str | None = None
    error: str | None = None
    provider: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_eur: Decimal = Decimal(0)

    @classmethod
    def of(
        cls, generated: GeneratedText, reasons: Iterable[str], *, latency_seconds: float
    ) -> "Attempt":
        """One that asked nobody, and so cost nothing."""
        return cls(
            model=generated.model,
            prompt_version=generated.prompt_version,
            reasons=tuple(reasons),
            latency_seconds=latency_seconds,
            text=generated.text,
            digital_source_type=generated.digital_source_type,
        )

    @property
    def accepted(self) -> bool:
        return self.text is not None and not self.reasons


def one_at_a_time(validate: Validate) -> Validate:
    """The same, for threads: it only computes, and Python computes one thing at a time anyway.

    Two hundred answers that come at once would else share the processor and all be done at the
    end, and their next calls begin together again: a third of the throughput.
    """
    turn = threading.Lock()

    def validate_in_turn(text: str, facts: Facts) -> Sequence[str]:
        with turn:
            return validate(text, facts)

    return validate_in_turn


class Postponed(SlowDown):
    """Raised when the avis had better come again; `attempts` were made all the same.

    `deferred_to` names the provider that writes it with others, later.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float,
        attempts: Sequence[Attempt],
        deferred_to: str | None = None,
    ) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.attempts = tuple(attempts)
        self.deferred_to = deferred_to


@dataclass(frozen=True, slots=True)
class Reviewing:
    """`asking` is None where there are no chat servers: the generator writes everything."""

    generator: Generator
    validate: Validate
    monotonic_seconds: Callable[[], float]
    asking: ProviderChoice | None = None
    metrics: Metrics | None = None

    @property
    def prompt_version(self) -> str:
        """That of the texts that are wanted."""
        return self.generator.prompt_version if self.asking is None else self.asking.prompt_version

    def review(self, facts: Facts, window: CallWindow = NO_HURRY) -> tuple[Attempt, ...]:
        """Every attempt in order, at least one; the last one decides. Raises Postponed."""
        attempts: list[Attempt] = []
        if self.asking is not None:
            cause = self._ask(self.asking, facts, window, attempts)
            if cause is None:
                return tuple(attempts)
            if self.metrics is not None:
                self.metrics.avis_fallbacks.labels(cause=cause).inc()
        return (*attempts, self._attempt(facts))

    def _ask(
        self, asking: ProviderChoice, facts: Facts, window: CallWindow, attempts: list[Attempt]
    ) -> str | None:
        """Add attempts; None where the last one is accepted, else why it is the template's turn."""
        while len(attempts) < ASKS:
            try:
                attempts.append(self._draft(asking, facts, window, attempts))
            except Exhausted:
                return "out_of_use"
            except BudgetReached as error:
                raise Postponed(
                    str(error), retry_after_seconds=_BUDGET_PAUSE_SECONDS, attempts=attempts
                ) from None
            except SlowDown as error:
                if isinstance(error, Late) and _was_answered(attempts):
                    # To come again would be to pay again for what was refused before.
                    return "out_of_use" if isinstance(error, OutOfUse) else "late"
                raise Postponed(
                    str(error),
                    retry_after_seconds=error.retry_after_seconds,
                    attempts=attempts,
                    deferred_to=error.provider if isinstance(error, WaitForBatch) else None,
                ) from None
            if attempts[-1].accepted:
                return None
        return "rejected" if _was_answered(attempts) else "out_of_use"

    def _draft(
        self, asking: ProviderChoice, facts: Facts, window: CallWindow, earlier: Sequence[Attempt]
    ) -> Attempt:
        start = self.monotonic_seconds()
        reasons = tuple(reason for attempt in earlier for reason in attempt.reasons)
        failed = [each.provider for each in earlier if each.provider and each.text is None]
        draft: ProviderDraft | None = None
        try:
            draft = asking.ask(facts, reasons, window, failed=failed)
            found = draft.result.answer.reasons
            if draft.text is not None and not found:
                found = tuple(self.validate(draft.text, facts))
        except (SlowDown, BudgetReached, Exhausted):
            raise
        except Exception as error:  # noqa: BLE001  # as below
            log.warning("draft failed", error=type(error).__name__, at=places_of(error))
            return self._of_draft(draft, asking, start, (GENERATOR_FAILED,), type(error).__name__)
        return self._of_draft(draft, asking, start, found, None)

    def _of_draft(
        self,
        draft: ProviderDraft | None,
        asking: ProviderChoice,
        start: float,
        reasons: tuple[str, ...],
        error: str | None,
    ) -> Attempt:
        latency_seconds = self.monotonic_seconds() - start
        if draft is None:
            return Attempt(
                model="unknown",
                prompt_version=asking.prompt_version,
                reasons=reasons,
                latency_seconds=latency_seconds,
                error=error,
            )
        return Attempt(
            model=draft.provider.model,
            prompt_version=asking.prompt_version,
            reasons=reasons,
            latency_seconds=latency_seconds,
            text=draft.text,
            digital_source_type=BY_A_MODEL,
            error=error,
            provider=draft.provider.name,
            tokens_in=draft.result.usage.tokens_in,
            tokens_out=draft.result.usage.tokens_out,
            tokens_cached=draft.result.usage.tokens_cached,
            cost_eur=draft.result.cost_eur,
        )

    def _attempt(self, facts: Facts) -> Attempt:
        start = self.monotonic_seconds()
        try:
            generated = self.generator.generate(facts)
            reasons = self.validate(generated.text, facts)
        except Exception as error:  # noqa: BLE001  # a bug that one row meets must not hold up others
            log.warning("generator failed", error=type(error).__name__, at=places_of(error))
            return Attempt(
                model=self.generator.model,
                prompt_version=self.generator.prompt_version,
                reasons=(GENERATOR_FAILED,),
                latency_seconds=self.monotonic_seconds() - start,
                error=type(error).__name__,
            )
        latency_seconds = self.monotonic_seconds() - start
        return Attempt.of(generated, reasons, latency_seconds=latency_seconds)


def _was_answered(attempts: Sequence[Attempt]) -> bool:
    """Whether any of them brought more than silence."""
    return any(attempt.reasons != (UNAVAILABLE,) for attempt in attempts)
