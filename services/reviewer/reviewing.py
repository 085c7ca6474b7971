"""One avis from facts to verdict. A text is accepted only when no reason stands against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.reviewer.generators.template import GeneratedText
from shared.sirene.facts import Facts

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

    @property
    def accepted(self) -> bool:
        return self.text is not None and not self.reasons


@dataclass(frozen=True, slots=True)
class Reviewing:
    generator: Generator
    validate: Validate
    monotonic_seconds: Callable[[], float]

    def review(self, facts: Facts) -> tuple[Attempt, ...]:
        """Every attempt in order, at least one; the last one decides."""
        return (self._attempt(facts),)

    def _attempt(self, facts: Facts) -> Attempt:
        start = self.monotonic_seconds()
        try:
            generated = self.generator.generate(facts)
            reasons = tuple(self.validate(generated.text, facts))
        except Exception as error:  # noqa: BLE001  # a bug that one row meets must not hold up others
            return Attempt(
                model=self.generator.model,
                prompt_version=self.generator.prompt_version,
                reasons=(GENERATOR_FAILED,),
                latency_seconds=self.monotonic_seconds() - start,
                error=type(error).__name__,
            )
        return Attempt(
            text=generated.text,
            model=generated.model,
            prompt_version=generated.prompt_version,
            digital_source_type=generated.digital_source_type,
            reasons=reasons,
            latency_seconds=self.monotonic_seconds() - start,
        )
