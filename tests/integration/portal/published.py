"""Texts that a reviewer publishes on the pages of a desk's register."""

from sqlalchemy import text

from services.reviewer.store import claim, store
from services.reviewer.texts.attempts import Attempt
from services.reviewer.texts.provenance import Imprint
from services.reviewer.texts.rulings import AvisResult, Claim
from tests.integration.writer.desk import Desk

_DUE = text("SELECT id FROM avis WHERE outcome = 'pending' ORDER BY id")


def publish(desk: Desk, words: str = "Un texte sur {}.") -> int:
    """Store a text for each due avis, as a reviewer does; return their number."""
    stored = 0
    for engine in desk.shards:
        with engine.connect() as connection:
            ids = list(connection.scalars(_DUE))
        claims, _ = claim(
            engine,
            ids,
            lease_seconds=60,
            prompt_version="test-1",
            sole_traders=False,
            describe=dict,
        )
        results = [_result(each, words) for each in claims]
        store(engine, results, sole_traders=False, imprint=Imprint("Les Pages"))
        stored += len(results)
    return stored


def _result(claimed: Claim, words: str) -> AvisResult:
    attempt = Attempt(
        model="test",
        prompt_version="test-1",
        digital_source_type="algorithmicMedia",
        text=words.format(claimed.facts.nom),
        reasons=(),
        latency_seconds=0.25,
    )
    return AvisResult(claim=claimed, attempts=(attempt,), label="Notice générée.")
