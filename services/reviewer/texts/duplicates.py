"""Texts that read like a neighbour's: they are found under a lock, and written again.

Neighbours are the avis of one activity in one commune. The comparison uses the `simhash` of the
texts without their facts, kept in `avis_simhashes`; see docs/adr/0013-duplicates.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from services.reviewer.notices import template
from services.reviewer.notices.label import label
from services.reviewer.statements import execute_rows, to_rows
from services.reviewer.texts.attempts import Attempt, Validate, attempt
from services.reviewer.texts.rulings import AvisResult, Claim
from services.reviewer.validation.simhash import BITS, NEAR, distance, simhash
from shared.clock import Clock
from shared.db.locks import LockFamily, hold_one_sql
from shared.db.neighbours import neighbourhood
from shared.metrics import Metrics

EXACT_DUPLICATE = "exact_duplicate"
NEAR_DUPLICATE = "near_duplicate"
REWRITES = 2

Rewrite = Callable[[Claim, int, str], AvisResult]
"""Return another text for a claim, a different one for each number, because of a code."""

# The writer moves the simhash with a page whose activity or commune changes; the page is locked.
_PLACES = text(f"""
    SELECT avis.id, {neighbourhood("p")} AS place
    FROM avis JOIN pro_localisations p ON p.id = avis.pro_localisation_id
    WHERE avis.id = ANY(CAST(:ids AS bigint[]))
""")
_LOCK = text(f"""
    SELECT {hold_one_sql(LockFamily.PLACE, "place")}
    FROM unnest(CAST(:places AS int[])) AS place
""")
_NEAREST = text("""
    SELECT new.id, min(bit_count((new.simhash # kept.simhash)::bit(64))) AS bits
    FROM json_to_recordset(CAST(:rows AS json)) AS new(id bigint, place int, simhash bigint)
    JOIN avis_simhashes kept ON kept.place = new.place AND kept.avis_id <> new.id
    GROUP BY new.id
""")
_KEEP = text("""
    INSERT INTO avis_simhashes (place, avis_id, simhash)
    SELECT place, id, simhash
    FROM json_to_recordset(CAST(:rows AS json)) AS new(id bigint, place int, simhash bigint)
    ON CONFLICT (place, avis_id) DO UPDATE SET simhash = excluded.simhash
""")


@dataclass(frozen=True, slots=True)
class _Draft:
    """`bits` is the distance from the nearest neighbour."""

    result: AvisResult
    simhash: int
    bits: int

    @property
    def code(self) -> str | None:
        if self.bits > NEAR:
            return None
        return NEAR_DUPLICATE if self.bits else EXACT_DUPLICATE


def rewriter(validate: Validate, clock: Clock, metrics: Metrics) -> Rewrite:
    """Return a Rewrite by the template: the same claim and number give the same text."""

    def rewrite(claim: Claim, number: int, because: str) -> AvisResult:
        metrics.avis_rejections.labels(reason=because).inc()
        facts = claim.facts
        other = attempt(
            lambda: template.generate(facts, variant_seed=f"{facts.siret}/{number}"),
            lambda text: validate(text, facts),
            clock.monotonic_seconds,
        )
        told = label(generated_at=clock.now(), fetched_at=claim.fetched_at, ai=False)
        return AvisResult(claim=claim, attempts=(other,), label=told)

    return rewrite


def simhash_of(result: AvisResult) -> int:
    return simhash(result.attempts[-1].text or "", result.claim.facts)


def keep_apart(
    connection: Connection,
    results: Sequence[AvisResult],
    rewrite: Rewrite,
    hashes: Mapping[int, int],
) -> dict[int, tuple[AvisResult, str | None]]:
    """Return for each avis the text that differs most from those of its neighbours.

    With it comes the code against a text that is kept all the same. Neighbours may be among the
    results. All results are accepted, and their simhashes in `hashes`,
    by avis id. The places stay locked until the transaction ends. A text that is too near is
    written again at most `REWRITES` times; then the furthest one is kept.
    """
    ids = [result.claim.avis_id for result in results]
    places: dict[int, int] = {
        row.id: row.place for row in connection.execute(_PLACES, {"ids": ids})
    }
    connection.execute(_LOCK, {"places": sorted(set(places.values()))})
    drafts: dict[int, list[_Draft]] = {avis_id: [] for avis_id in ids}
    settled: dict[int, list[int]] = {}
    open_results = [(result, hashes[result.claim.avis_id]) for result in results]
    for number in range(1, REWRITES + 2):
        again: list[tuple[AvisResult, int]] = []
        nearest = _nearest(connection, open_results, places)
        for result, own in open_results:
            avis_id = result.claim.avis_id
            beside = settled.setdefault(places[avis_id], [])
            bits = min([nearest.get(avis_id, BITS), *(distance(own, one) for one in beside)])
            draft = _Draft(result, own, bits)
            drafts[avis_id].append(draft)
            if draft.code is not None and number <= REWRITES:
                other = rewrite(result.claim, number, draft.code)
                if other.attempts[-1].accepted:
                    again.append((other, simhash_of(other)))
                    continue
            beside.append(_furthest(drafts[avis_id]).simhash)
        open_results = again
    kept = [
        {"id": one, "place": places[one], "simhash": _furthest(drafts[one]).simhash}
        for one in sorted(ids)
    ]
    execute_rows(connection, _KEEP, kept)
    return {avis_id: _choose(drafts[avis_id]) for avis_id in ids}


def replace_simhash(connection: Connection, result: AvisResult) -> None:
    """Keep the simhash of this text in place of the former one, however near a neighbour's is."""
    avis_id = result.claim.avis_id
    place = connection.execute(_PLACES, {"ids": [avis_id]}).one().place
    connection.execute(_LOCK, {"places": [place]})
    execute_rows(
        connection, _KEEP, [{"id": avis_id, "place": place, "simhash": simhash_of(result)}]
    )


def _nearest(
    connection: Connection, texts: Sequence[tuple[AvisResult, int]], places: Mapping[int, int]
) -> dict[int, int]:
    """Return the distance from the nearest stored neighbour, for texts that have one."""
    if not texts:
        return {}
    rows = [
        {"id": result.claim.avis_id, "place": places[result.claim.avis_id], "simhash": own}
        for result, own in texts
    ]
    found = connection.execute(_NEAREST, {"rows": to_rows(rows)})
    return {row.id: row.bits for row in found}


def _furthest(drafts: Sequence[_Draft]) -> _Draft:
    """Return the furthest draft, the first among equals."""
    return max(drafts, key=lambda draft: draft.bits)


def _choose(drafts: Sequence[_Draft]) -> tuple[AvisResult, str | None]:
    """Return the furthest draft, with the attempts of all drafts before its own."""
    kept = _furthest(drafts)
    earlier = (each for draft in drafts if draft is not kept for each in _with_code(draft))
    attempts = (*earlier, *kept.result.attempts)
    return replace(kept.result, attempts=attempts), kept.code


def _with_code(draft: _Draft) -> Iterator[Attempt]:
    *before, last = draft.result.attempts
    yield from before
    yield replace(last, reasons=(*last.reasons, draft.code)) if draft.code else last
