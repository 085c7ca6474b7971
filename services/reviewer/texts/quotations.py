"""The attempt at a synthese: it quotes its sources, asks no server, and is made once."""

from collections.abc import Callable, Sequence

from services.reviewer.reviews import synthese
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.validation import validate_synthese
from services.reviewer.texts.attempts import Attempt
from shared.sirene.facts import Facts


def quote(
    facts: Facts, sources: Sequence[Source], monotonic_seconds: Callable[[], float]
) -> Attempt:
    """Return the synthese of these sources with its verdict."""
    start = monotonic_seconds()
    generated = synthese.generate(facts, sources)
    reasons = validate_synthese(generated.text, facts, sources)
    return Attempt.of(generated, reasons, latency_seconds=monotonic_seconds() - start)
