"""The author of a notice: it goes from facts to a verdict.

Chat servers, where there are any, are asked first and at most three times, each time with the
reasons against the earlier texts. The template has the last word. A text is accepted only when
no reason stands against it.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import structlog

from services.reviewer.notices import template
from services.reviewer.notices.label import day_in_france
from services.reviewer.notices.template import GeneratedText
from services.reviewer.providers.answers import UNAVAILABLE
from services.reviewer.providers.call import CallWindow
from services.reviewer.providers.choice import Exhausted, ProviderChoice, ProviderDraft
from services.reviewer.providers.limits import CallLimit
from services.reviewer.providers.prompt import reproaches
from services.reviewer.texts.attempts import (
    BY_A_MODEL,
    GENERATOR_FAILED,
    Attempt,
    Attempts,
    ValidateDeclared,
    attempt,
)
from services.reviewer.validation import Verdict
from services.reviewer.validation.sentences.declarations import DeclaredSentence
from shared.clock import Clock
from shared.errors import SlowDown
from shared.logs import name_of, places_of
from shared.metrics import Metrics
from shared.sirene.facts import Facts

log = structlog.get_logger()

ASKS = 3
"""Texts that providers may be asked for, for one avis."""

NO_HURRY = CallWindow(begin_by=inf, finish_by=inf)


def one_at_a_time(validate: ValidateDeclared) -> ValidateDeclared:
    """Return the same function with a lock around it.

    Validation only computes, and Python computes in one thread at a time. Without the lock, two
    hundred answers that come at once share the processor and are all done at the end, and their
    next calls begin together again: a third of the throughput is lost.
    """
    turn = threading.Lock()

    def validate_in_turn(
        text: str, facts: Facts, declared: Sequence[DeclaredSentence] = ()
    ) -> Verdict:
        with turn:
            return validate(text, facts, declared)

    return validate_in_turn


@dataclass(frozen=True, slots=True)
class Author:
    """`choice` is None where there are no chat servers; `generate` writes for a year."""

    validate: ValidateDeclared
    clock: Clock
    generate: Callable[[Facts, int], GeneratedText] = template.generate
    choice: ProviderChoice | None = None
    metrics: Metrics | None = None

    @property
    def prompt_version(self) -> str:
        """Return the version that new texts have."""
        return template.PROMPT_VERSION if self.choice is None else self.choice.prompt_version

    def write(self, facts: Facts, window: CallWindow = NO_HURRY) -> Attempts:
        """Return all attempts; `slow_down` says that a limit or the budget stands against more."""
        attempts: list[Attempt] = []
        if self.choice is not None:
            try:
                cause = self._ask(self.choice, facts, window, attempts)
            except SlowDown as error:
                # Its traceback holds this avis; a message keeps many results.
                return Attempts(tuple(attempts), error.with_traceback(None))
            if cause is None:
                return Attempts(tuple(attempts))
            if self.metrics is not None:
                self.metrics.avis_fallbacks.labels(cause=cause).inc()
        return Attempts((*attempts, self._generate(facts)))

    def _ask(
        self, choice: ProviderChoice, facts: Facts, window: CallWindow, attempts: list[Attempt]
    ) -> str | None:
        """Add attempts; return why it is the template's turn, None where the last is accepted."""
        while len(attempts) < ASKS:
            try:
                attempts.append(self._draft(choice, facts, window, attempts))
            except Exhausted:
                return "out_of_use"
            except SlowDown as error:
                late = error.reason in {CallLimit.LATE, CallLimit.OUT_OF_USE}
                if not late or not _was_answered(attempts):
                    raise
                # The avis would come again without its earlier reasons, and pay for them again.
                return error.reason
            if attempts[-1].accepted:
                return None
        return "rejected" if _was_answered(attempts) else "out_of_use"

    def _draft(
        self, choice: ProviderChoice, facts: Facts, window: CallWindow, earlier: Sequence[Attempt]
    ) -> Attempt:
        start = self.clock.monotonic_seconds()
        told = [one for each in earlier for one in reproaches(each.reasons, each.own_words)]
        failed = [each.provider for each in earlier if each.provider and each.text is None]
        draft: ProviderDraft | None = None
        error_name: str | None = None
        try:
            draft = choice.ask(facts, told, window, failed=failed)
            answer = draft.filled
            verdict = Verdict(answer.reasons)
            if answer.text is not None and verdict.accepted:
                verdict = self.validate(answer.text, facts, answer.sentences)
            choice.judge(draft, accepted=answer.text is not None and verdict.accepted)
        except (SlowDown, Exhausted):
            raise
        except Exception as error:  # noqa: BLE001  # as below
            log.warning("draft failed", error=name_of(error), at=places_of(error))
            verdict, error_name = Verdict((GENERATOR_FAILED,)), type(error).__name__
        if draft is None:
            return self._failed("unknown", choice.prompt_version, start, error_name)
        usage = draft.result.usage
        return Attempt(
            model=draft.provider.model,
            prompt_version=choice.prompt_version,
            reasons=verdict.reasons,
            own_words=verdict.own_words,
            latency_seconds=self.clock.monotonic_seconds() - start,
            text=draft.filled.text,
            digital_source_type=BY_A_MODEL,
            error=error_name,
            provider=draft.provider.name,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            tokens_cached=usage.tokens_cached,
            cost_eur=draft.result.cost_eur,
            unanswered=draft.result.unanswered,
        )

    def _generate(self, facts: Facts) -> Attempt:
        start = self.clock.monotonic_seconds()
        try:
            return attempt(
                lambda: self.generate(facts, day_in_france(self.clock.now()).year),
                lambda text: self.validate(text, facts),
                self.clock.monotonic_seconds,
            )
        except Exception as error:  # noqa: BLE001  # a bug that one row meets must not hold up others
            log.warning("generator failed", error=name_of(error), at=places_of(error))
            name = type(error).__name__
            return self._failed(template.MODEL, template.PROMPT_VERSION, start, name)

    def _failed(self, model: str, prompt_version: str, start: float, error: str | None) -> Attempt:
        return Attempt(
            model=model,
            prompt_version=prompt_version,
            reasons=(GENERATOR_FAILED,),
            latency_seconds=self.clock.monotonic_seconds() - start,
            error=error,
        )


def _was_answered(attempts: Sequence[Attempt]) -> bool:
    """Return whether a provider brought more than silence."""
    return any(each.reasons != (UNAVAILABLE,) for each in attempts)
