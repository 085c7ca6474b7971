"""One synthese from its sources to a verdict; nobody is asked, so it is tried once."""

from collections.abc import Callable, Sequence

from services.reviewer.generators import synthese
from services.reviewer.reviewing import Attempt
from services.reviewer.reviews.source import Source
from services.reviewer.validation.synthese import validate_synthese
from shared.sirene.facts import Facts


def quote(
    facts: Facts, sources: Sequence[Source], monotonic_seconds: Callable[[], float]
) -> Attempt:
    start = monotonic_seconds()
    generated = synthese.generate(facts, sources)
    return Attempt(
        model=generated.model,
        prompt_version=generated.prompt_version,
        text=generated.text,
        digital_source_type=generated.digital_source_type,
        reasons=validate_synthese(generated.text, facts, sources),
        latency_seconds=monotonic_seconds() - start,
    )
