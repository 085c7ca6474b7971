"""Attempts at a text, each with its verdict: pure."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from services.reviewer.notices.template import GeneratedText
from services.reviewer.validation import Verdict
from services.reviewer.validation.sentences.declarations import DeclaredSentence
from shared.clock import utc_now
from shared.errors import SlowDown
from shared.sirene.facts import Facts

BY_A_MODEL = "trainedAlgorithmicMedia"
"""IPTC's term for a text that a trained model wrote."""

GENERATOR_FAILED = "generator_failed"
"""The reason of an attempt that brought no text because the generator itself broke."""


Validate = Callable[[str, Facts], Verdict]


class ValidateDeclared(Protocol):
    """Gives the verdict on a text, and on the facts that its author says its sentences use."""

    def __call__(
        self, text: str, facts: Facts, declared: Sequence[DeclaredSentence] = (), /
    ) -> Verdict: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call of a generator and its verdict, accepted when `reasons` is empty.

    `text` and `digital_source_type` are None where the generator brought nothing; `error` is then
    the class of its error, never its message: that may hold facts. `own_words` are the verdict's,
    told to the model that is asked again, and not stored. `unanswered` tries ended without an
    answer: tokens and cost are the most that these can have been.
    """

    model: str
    prompt_version: str
    reasons: tuple[str, ...]
    latency_seconds: float
    own_words: tuple[str, ...] = ()
    text: str | None = None
    digital_source_type: str | None = None
    error: str | None = None
    provider: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_eur: Decimal = Decimal(0)
    unanswered: int = 0
    attempted_at: dt.datetime = field(default_factory=utc_now, compare=False)

    @property
    def accepted(self) -> bool:
        return self.text is not None and not self.reasons


def attempt(
    generate: Callable[[], GeneratedText],
    judge: Callable[[str], Verdict],
    monotonic_seconds: Callable[[], float],
) -> Attempt:
    """Return an attempt that asks no provider, and so costs nothing."""
    start = monotonic_seconds()
    generated = generate()
    verdict = judge(generated.text)
    return Attempt(
        model=generated.model,
        prompt_version=generated.prompt_version,
        reasons=verdict.reasons,
        own_words=verdict.own_words,
        latency_seconds=monotonic_seconds() - start,
        text=generated.text,
        digital_source_type=generated.digital_source_type,
    )


@dataclass(frozen=True, slots=True)
class Attempts:
    """All attempts at a text, in order: the last one decides.

    With `slow_down` nothing is decided: the avis has to come again, and there may be no attempt.
    """

    made: tuple[Attempt, ...]
    slow_down: SlowDown | None = None
