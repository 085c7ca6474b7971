"""The rules that say which accepted texts are held for a person.

A rule holds a text when it is stored. A hold that stands already stays, whatever the rules say
(docs/adr/0024-holds.md).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from services.reviewer.statements import execute_rows
from services.reviewer.texts.rulings import AvisResult
from shared.avis import HoldReason

# It returns nothing, and locks nothing for long, once the first texts are counted.
_COUNT = text("""
    INSERT INTO prompt_debuts AS d (model, prompt_version, texts)
    VALUES (:model, :prompt_version, :texts)
    ON CONFLICT (model, prompt_version) DO UPDATE SET texts = d.texts + excluded.texts
    WHERE d.texts < :first_texts
    RETURNING texts
""")
# The store has locked these rows.
_UNREAD = text("""
    SELECT EXISTS (
      SELECT FROM sources WHERE digest = ANY(CAST(:digests AS bytea[])) AND read_at IS NULL)
""")
_HOLD = text("""
    UPDATE avis SET held_because = new.because, held_at = clock_timestamp()
    FROM json_to_recordset(CAST(:rows AS json)) AS new(id bigint, because text)
    WHERE avis.id = new.id AND avis.text IS NOT NULL AND avis.held_because IS NULL
""")


@dataclass(frozen=True, slots=True)
class HoldRules:
    """The texts that are held by default; the defaults here hold none.

    `fallback_share` is the part of the establishments whose texts are held where the template
    wrote in place of a model. `first_texts` is the number of texts, in each database, that are
    held of a model's new prompt version. With `syntheses` each is held that quotes a review which
    no editor has read.
    """

    fallback_share: float = 0.0
    first_texts: int = 0
    syntheses: bool = False

    def samples(self, siret: str) -> bool:
        """Return whether the establishment is in the sample of fallbacks: always the same."""
        drawn = int.from_bytes(hashlib.sha256(siret.encode()).digest()[:8])
        return drawn < self.fallback_share * 2**64


HOLD_NOTHING = HoldRules()


def held_by_rule(
    connection: Connection, rules: HoldRules, accepted: Iterable[AvisResult]
) -> dict[int, HoldReason]:
    """Return by avis why its new text is to be held; count the first texts of a prompt."""
    held: dict[int, HoldReason] = {}
    by_prompt: dict[tuple[str, str], list[int]] = defaultdict(list)
    for result in accepted:
        avis_id, last = result.claim.avis_id, result.attempts[-1]
        if last.provider is not None:
            by_prompt[last.model, last.prompt_version].append(avis_id)
        elif rules.samples(result.claim.facts.siret) and any(
            each.provider is not None for each in result.attempts
        ):
            held[avis_id] = HoldReason.FALLBACK
        if rules.syntheses and result.quoted and _has_unread(connection, result.quoted):
            held[avis_id] = HoldReason.QUOTATION
        if result.hold_because is not None:
            held[avis_id] = result.hold_because
    for prompt in sorted(by_prompt) if rules.first_texts else ():
        for avis_id in _first(connection, prompt, by_prompt[prompt], rules.first_texts):
            held.setdefault(avis_id, HoldReason.FIRST_TEXTS)
    return held


def hold(connection: Connection, because: Mapping[int, HoldReason]) -> None:
    """Hold the texts of these avis, by id; a hold that stands keeps its reason."""
    rows = [{"id": avis_id, "because": because[avis_id]} for avis_id in sorted(because)]
    execute_rows(connection, _HOLD, rows)


def _has_unread(connection: Connection, digests: Sequence[bytes]) -> bool:
    """Return whether no editor has read one of these reviews as it is stored."""
    return connection.execute(_UNREAD, {"digests": list(digests)}).scalar_one() is True


def _first(
    connection: Connection, prompt: tuple[str, str], avis_ids: Sequence[int], first_texts: int
) -> Sequence[int]:
    """Count these texts of a model and prompt version; return those among the first ones."""
    model, prompt_version = prompt
    values = {"model": model, "prompt_version": prompt_version, "texts": len(avis_ids)}
    counted: int | None = connection.execute(
        _COUNT, values | {"first_texts": first_texts}
    ).scalar_one_or_none()
    if counted is None:
        return ()
    return avis_ids[: max(0, first_texts - (counted - len(avis_ids)))]
