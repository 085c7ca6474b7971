"""One synthese from its sources to a verdict; nobody is asked, so it is tried once."""

from collections.abc import Callable, Sequence

from services.reviewer.reviews import synthese
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.validation import validate_synthese
from services.reviewer.texts.attempts import Attempt
from shared.sirene.facts import Facts


def quote(
    facts: Facts, sources: Sequence[Source], monotonic_seconds: Callable[[], float]
) -> Attempt:
    start = monotonic_seconds()
    generated = synthese.generate(facts, sources)
    reasons = validate_synthese(generated.text, facts, sources)
    return Attempt.of(generated, reasons, latency_seconds=monotonic_seconds() - start)
