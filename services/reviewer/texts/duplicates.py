"""Texts that read like a neighbour's: the template puts them in other words before they are stored.

Neighbours are the avis of one activity in one commune. The comparison uses the `simhash` of the
texts without their facts, kept in `avis_simhashes`; see docs/adr/0013-duplicates.md. Words are
chosen while nothing is locked. Under the lock of a place a text is compared once more, with what
was stored there meanwhile.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, text

from services.reviewer.notices import template
from services.reviewer.notices.label import day_in_france, label
from services.reviewer.notices.template import GeneratedText
from services.reviewer.statements import execute_rows, to_rows
from services.reviewer.texts.attempts import Validate, attempt
from services.reviewer.texts.rulings import AvisResult, Claim
from services.reviewer.validation.simhash import BITS, NEAR, bits_of, least_distance, simhash
from shared.clock import Clock
from shared.db.locks import LockFamily, hold_one_sql
from shared.db.neighbours import neighbourhood
from shared.metrics import Metrics

EXACT_DUPLICATE = "exact_duplicate"
NEAR_DUPLICATE = "near_duplicate"
WORDINGS = 6
"""Other wordings that the template tries, for a text that is near a neighbour's."""

# The writer moves the simhash with a page whose activity or commune changes; the page is locked.
_PLACES = text(f"""
    SELECT avis.id, {neighbourhood("p")} AS place
    FROM avis JOIN pro_localisations p ON p.id = avis.pro_localisation_id
    WHERE avis.id = ANY(CAST(:ids AS bigint[]))
""")
_NEIGHBOURS = text("""
    SELECT place, array_agg(avis_id) AS ids, array_agg(simhash) AS simhashes
    FROM avis_simhashes WHERE place = ANY(CAST(:places AS int[])) GROUP BY place
""")
_LOCK = text(f"""
    SELECT {hold_one_sql(LockFamily.PLACE, "place")}
    FROM unnest(CAST(:places AS int[])) AS place
""")
_CROWDED = text(f"""
    SELECT * FROM (
      SELECT new.id, min(bit_count((new.simhash # kept.simhash)::bit({BITS}))) AS bits
      FROM json_to_recordset(CAST(:rows AS json)) AS new(id bigint, place int, simhash bigint)
      JOIN avis_simhashes kept ON kept.place = new.place AND kept.avis_id <> new.id
      GROUP BY new.id) nearest
    WHERE bits <= {NEAR}
""")
_KEEP = text("""
    INSERT INTO avis_simhashes (place, avis_id, simhash)
    SELECT place, id, simhash
    FROM json_to_recordset(CAST(:rows AS json)) AS new(id bigint, place int, simhash bigint)
    ON CONFLICT (place, avis_id) DO UPDATE SET simhash = excluded.simhash
""")


@dataclass(frozen=True)
class Rewriter:
    """The template, as it puts a text in other words: seed and facts decide on them."""

    validate: Validate
    clock: Clock
    metrics: Metrics
    generate: Callable[..., GeneratedText] = template.generate

    def wording(self, claim: Claim, number: int) -> GeneratedText:
        facts, year = claim.facts, day_in_france(self.clock.now()).year
        return self.generate(facts, year, variant_seed=f"{facts.siret}/{number}")

    def result(self, claim: Claim, number: int) -> AvisResult:
        """Return this wording with its verdict and its label."""
        made = attempt(
            lambda: self.wording(claim, number),
            lambda words: self.validate(words, claim.facts),
            self.clock.monotonic_seconds,
        )
        told = label(generated_at=self.clock.now(), fetched_at=claim.fetched_at, ai=False)
        return AvisResult(claim=claim, attempts=(made,), label=told)

    def count(self, drafts: Iterable["Draft"]) -> None:
        """Count the drafts that were stored, where their author's words were near others."""
        for draft in drafts:
            if draft.code is not None:
                self.metrics.avis_near.labels(end="kept").inc()
            elif draft.chosen is not draft.first:
                self.metrics.avis_near.labels(end="reworded").inc()


@dataclass(frozen=True, slots=True)
class Draft:
    """An accepted text before it is stored: as its author wrote it, and in the words chosen.

    `bits` is the distance of the words chosen from the nearest neighbour's.
    """

    first: AvisResult
    chosen: AvisResult
    place: int
    simhash: int
    bits: int

    @property
    def avis_id(self) -> int:
        return self.first.claim.avis_id

    @property
    def code(self) -> str | None:
        """Return the code against the words chosen; None where no neighbour's are near."""
        return _code(self.bits)

    @property
    def row(self) -> dict[str, object]:
        return {"id": self.avis_id, "place": self.place, "simhash": self.simhash}


def write_apart(
    engine: Engine, results: Sequence[AvisResult], rewriter: Rewriter, among: Iterable[Draft] = ()
) -> dict[int, Draft]:
    """Choose for each accepted text words that no neighbour's are near, else the furthest ones.

    The results are neighbours of each other, and of the drafts that they are `among`. Return the
    drafts by avis. No lock is held.
    """
    with engine.connect() as connection:
        ids = [result.claim.avis_id for result in results]
        found = connection.execute(_PLACES, {"ids": ids}).all()
        places = {row.id: row.place for row in found}
        stored = _read_neighbours(connection, set(places.values()))
    beside: dict[int, list[int]] = defaultdict(list)
    for draft in among:
        beside[draft.place] += bits_of([draft.simhash])
    drafts: dict[int, Draft] = {}
    for result in results:
        avis_id = result.claim.avis_id
        if (place := places.get(avis_id)) is None:
            continue  # The row is gone: the ruling says so.
        others = [bits for id_, bits in stored.get(place, {}).items() if id_ != avis_id]
        draft = _choose(result, place, [*others, *beside[place]], rewriter)
        beside[place] += bits_of([draft.simhash])
        drafts[avis_id] = draft
    return drafts


def hold_places(connection: Connection, drafts: Iterable[Draft]) -> dict[int, Draft]:
    """Hold the places of these drafts, and return those that a text stored meanwhile is near.

    A text that is near one in all wordings is not compared again: it has its code.
    """
    apart = {draft.avis_id: draft for draft in drafts if draft.code is None}
    if not apart:
        return {}
    connection.execute(_LOCK, {"places": sorted({draft.place for draft in apart.values()})})
    rows = to_rows(draft.row for draft in apart.values())
    crowded = connection.execute(_CROWDED, {"rows": rows})
    return {row.id: replace(apart[row.id], bits=row.bits) for row in crowded}


def keep_simhashes(connection: Connection, drafts: Iterable[Draft]) -> None:
    ordered = sorted(drafts, key=lambda draft: draft.avis_id)
    execute_rows(connection, _KEEP, [draft.row for draft in ordered])


def replace_simhash(connection: Connection, result: AvisResult) -> None:
    """Keep the simhash of this text in place of the former one, however near a neighbour's is."""
    avis_id = result.claim.avis_id
    place = connection.execute(_PLACES, {"ids": [avis_id]}).one().place
    connection.execute(_LOCK, {"places": [place]})
    row = {"id": avis_id, "place": place, "simhash": _simhash_of(result)}
    execute_rows(connection, _KEEP, [row])


def _read_neighbours(connection: Connection, places: set[int]) -> dict[int, dict[int, int]]:
    """Return the simhashes as plain bits, by place and avis."""
    rows = connection.execute(_NEIGHBOURS, {"places": sorted(places)})
    return {row.place: dict(zip(row.ids, bits_of(row.simhashes), strict=True)) for row in rows}


def _choose(result: AvisResult, place: int, taken: Sequence[int], rewriter: Rewriter) -> Draft:
    own = _simhash_of(result)
    first = Draft(result, result, place, own, least_distance(own, taken))
    if first.code is None:
        return first
    bits, number, other = _furthest(result.claim, taken, rewriter)
    if bits <= first.bits:
        return first
    again = rewriter.result(result.claim, number)
    if not again.attempts[-1].accepted:
        return first
    *before, last = result.attempts
    refused = replace(last, reasons=(*last.reasons, first.code))
    chosen = replace(again, attempts=(*before, refused, *again.attempts))
    return Draft(result, chosen, place, other, bits)


def _furthest(claim: Claim, taken: Sequence[int], rewriter: Rewriter) -> tuple[int, int, int]:
    """Return the distance, number and simhash of the first wording apart, else of the furthest."""
    found: list[tuple[int, int, int]] = []
    for number in range(1, WORDINGS + 1):
        other = simhash(rewriter.wording(claim, number).text, claim.facts)
        found.append((least_distance(other, taken), number, other))
        if found[-1][0] > NEAR:
            break
    return max(found, key=lambda each: each[0])


def _simhash_of(result: AvisResult) -> int:
    return simhash(result.attempts[-1].text or "", result.claim.facts)


def _code(bits: int) -> str | None:
    if bits > NEAR:
        return None
    return NEAR_DUPLICATE if bits else EXACT_DUPLICATE
