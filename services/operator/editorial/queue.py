"""The queue of held texts: the oldest first, whatever others do meanwhile."""

import datetime as dt
import heapq
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.avis import HoldReason
from shared.texts.orders import seen_sql

PAGE = 20
MOST_COUNTED = 10_000
_BEGINNING = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_QUEUE = text(f"""
    SELECT a.held_at, a.id, a.siret, a.kind, a.held_because, a.outcome, a.text, a.label, a.model,
      a.prompt_version, a.accepted_facts_hash <> a.facts_hash AS facts_changed,
      p.nom, p.libelle_commune, p.libelle_activite, {seen_sql()} AS seen,
      last.verb AS last_verb, last.ordered_by AS last_ordered_by, last.reason AS last_reason,
      last.refusal AS last_refusal
    FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
    LEFT JOIN LATERAL (
      SELECT o.verb, o.ordered_by, o.reason, o.refusal, o.status FROM avis_orders o
      WHERE o.siret = a.siret AND o.kind = a.kind ORDER BY o.id DESC LIMIT 1) last ON true
    WHERE a.held_because IS NOT NULL AND (a.held_at, a.id) > (:held_at, :id)
      AND (CAST(:because AS text) IS NULL OR a.held_because = :because)
      AND last.status IS DISTINCT FROM 'pending'
    ORDER BY a.held_at, a.id LIMIT :rows
""")
_DEBUTS = text("""
    SELECT model, prompt_version, sum(texts)::bigint FROM prompt_debuts
    GROUP BY model, prompt_version ORDER BY model, prompt_version LIMIT 200
""")
_LATEST = text("""
    SELECT id, siret, kind, verb, ordered_by, ordered_at, status, refusal FROM avis_orders
    ORDER BY id DESC LIMIT :most
""")
_COUNT = text("""
    SELECT held_because, count(*) FROM (
      SELECT held_because FROM avis WHERE held_because IS NOT NULL LIMIT :most) held
    GROUP BY held_because
""")


class QueuePlace(NamedTuple):
    """A place in the queue: the instant of the hold, then the id."""

    held_at: dt.datetime
    id: int


START = QueuePlace(_BEGINNING, 0)


class HeldText(NamedTuple):
    held_at: dt.datetime
    id: int
    siret: str
    kind: str
    held_because: str
    outcome: str
    text: str
    label: str | None
    model: str | None
    prompt_version: str | None
    facts_changed: bool
    nom: str | None
    libelle_commune: str | None
    libelle_activite: str | None
    seen: str
    last_verb: str | None
    last_ordered_by: str | None
    last_reason: str | None
    last_refusal: str | None


class TextDecision(NamedTuple):
    """The state of an order, without its words."""

    id: int
    siret: str
    kind: str
    verb: str
    ordered_by: str
    ordered_at: dt.datetime
    status: str
    refusal: str | None


class PromptDebut(NamedTuple):
    """The first texts of a model under a version of the prompt, as far as they were counted."""

    model: str
    prompt_version: str
    texts: int


class HeldTexts(NamedTuple):
    """A page of the queue; `after` is where the next one begins, None at the end."""

    texts: list[HeldText]
    after: QueuePlace | None


def read_queue(
    shards: Sequence[Connection], after: QueuePlace = START, because: HoldReason | None = None
) -> HeldTexts:
    """Return the held texts that come after this place, and wait for no order."""
    asked = {**after._asdict(), "because": because, "rows": PAGE + 1}
    found = [[HeldText(*row) for row in shard.execute(_QUEUE, asked)] for shard in shards]
    ordered = list(heapq.merge(*found))
    page = ordered[:PAGE]
    more = len(ordered) > PAGE
    return HeldTexts(page, QueuePlace(page[-1].held_at, page[-1].id) if more else None)


def count_held(shards: Sequence[Connection]) -> dict[str, int]:
    """Count the held texts by reason; at most `MOST_COUNTED` in each shard."""
    counted: dict[str, int] = {}
    for shard in shards:
        for because, texts in shard.execute(_COUNT, {"most": MOST_COUNTED}).all():
            counted[because] = counted.get(because, 0) + texts
    return counted


def latest_decisions(shards: Sequence[Connection], most: int = 8) -> list[TextDecision]:
    """Return the latest orders about texts, the newest first."""
    found = [TextDecision(*row) for each in shards for row in each.execute(_LATEST, {"most": most})]
    return sorted(found, key=lambda each: each.ordered_at, reverse=True)[:most]


def read_debuts(shards: Sequence[Connection]) -> list[PromptDebut]:
    """Return the first texts of each prompt, added over the shards: each counts its own."""
    counted: dict[tuple[str, str], int] = {}
    for shard in shards:
        for model, prompt_version, texts in shard.execute(_DEBUTS).all():
            key = (model, prompt_version)
            counted[key] = counted.get(key, 0) + texts
    return [PromptDebut(*key, texts) for key, texts in sorted(counted.items())]
