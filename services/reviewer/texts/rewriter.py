"""The rewriter makes another text for an avis that reads like its neighbour's."""

from dataclasses import dataclass

from services.reviewer.notices import template
from services.reviewer.notices.label import label
from services.reviewer.texts.attempts import Attempt, Validate
from services.reviewer.texts.rulings import AvisResult, Claim
from shared.clock import Clock
from shared.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Uses the template with another seed: the same claim and number give the same text."""

    validate: Validate
    clock: Clock
    metrics: Metrics

    def rewrite(self, claim: Claim, number: int, because: str) -> AvisResult:
        self.metrics.avis_rejections.labels(reason=because).inc()
        start = self.clock.monotonic_seconds()
        facts = claim.facts
        generated = template.generate(facts, variant_seed=f"{facts.siret}/{number}")
        reasons = self.validate(generated.text, facts)
        latency_seconds = self.clock.monotonic_seconds() - start
        attempt = Attempt.of(generated, reasons, latency_seconds=latency_seconds)
        return AvisResult(
            claim=claim,
            attempts=(attempt,),
            label=label(generated_at=self.clock.now(), fetched_at=claim.fetched_at, ai=False),
        )
