"""One text as an editor reads it: beside its dated facts, its verdicts, versions and orders."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from services.operator.editorial.differences import Run, differences
from shared.texts.orders import seen_sql

_MOST_ATTEMPTS = 50
_MOST_ORDERS = 50
_AVIS = text(f"""
    SELECT a.id, a.siret, a.siren, a.kind, a.outcome, a.text, a.label, a.model, a.prompt_version,
      a.accepted_at, a.held_because, a.held_at, a.facts_hash, a.accepted_facts_hash,
      a.digital_source_type, p.nom, p.slug, p.libelle_commune, p.libelle_activite,
      p.status AS page_status, {seen_sql()} AS seen
    FROM avis a JOIN pro_localisations p ON p.id = a.pro_localisation_id
    WHERE a.siret = :siret AND a.kind = :kind
""")
_ATTEMPTS = text("""
    SELECT id, attempted_at, provider, model, prompt_version, facts_hash, facts, text, accepted,
      reasons, cost_eur, unanswered > 0 AS is_estimate
    FROM avis_attempts WHERE avis_id = :id ORDER BY id DESC LIMIT :most
""")
_ORDERS = text("""
    SELECT id, verb, ordered_by, reason, text, override, ordered_at, status, refusal, done_at
    FROM avis_orders WHERE siret = :siret AND kind = :kind ORDER BY id DESC LIMIT :most
""")


class TextAttempt(NamedTuple):
    """An attempt at the text; `reasons` are the codes of the rules that stand against it."""

    id: int
    attempted_at: dt.datetime
    provider: str | None
    model: str
    prompt_version: str
    facts_hash: str
    facts: Mapping[str, Any] | None
    text: str | None
    accepted: bool
    reasons: Sequence[str]
    cost_eur: Decimal
    is_estimate: bool


class PlacedOrder(NamedTuple):
    id: int
    verb: str
    ordered_by: str
    reason: str
    text: str | None
    override: bool
    ordered_at: dt.datetime
    status: str
    refusal: str | None
    done_at: dt.datetime | None


class TextVersion(NamedTuple):
    """An accepted text; `changes` are its words beside those of the version before."""

    attempt: TextAttempt
    changes: Sequence[Run]


class TextSheet(NamedTuple):
    """`avis` are the columns of the text and its page; attempts and orders are newest first.

    There are more of either where `has_more` says so.
    """

    avis: Mapping[str, Any]
    attempts: Sequence[TextAttempt]
    orders: Sequence[PlacedOrder]
    has_more: bool

    @property
    def facts_have_changed(self) -> bool:
        """Return whether the text was made from other facts than the present ones."""
        known = self.avis["accepted_facts_hash"]
        return known is not None and known != self.avis["facts_hash"]

    @property
    def of_text(self) -> TextAttempt | None:
        """Return the attempt that brought the present text."""
        words = self.avis["text"]
        return next((each for each in self.attempts if each.accepted and each.text == words), None)

    @property
    def open_orders(self) -> Sequence[PlacedOrder]:
        return [each for each in self.orders if each.status == "pending"]

    @property
    def versions(self) -> Sequence[TextVersion]:
        """Return the accepted texts, the newest first; the oldest one has no changes."""
        kept = [each for each in self.attempts if each.accepted and each.text is not None]
        # The first one is told as it is.
        before = [*kept[1:], *kept[-1:]]
        return [
            TextVersion(each, differences(older.text or "", each.text or ""))
            for each, older in zip(kept, before, strict=True)
        ]


def read_sheet(shard: Connection, siret: str, kind: str) -> TextSheet | None:
    """Return the text of an establishment, None where there is none."""
    asked = {"siret": siret, "kind": kind}
    avis = shard.execute(_AVIS, asked).mappings().one_or_none()
    if avis is None:
        return None
    attempts = shard.execute(_ATTEMPTS, {"id": avis["id"], "most": _MOST_ATTEMPTS}).all()
    orders = shard.execute(_ORDERS, {**asked, "most": _MOST_ORDERS}).all()
    return TextSheet(
        {str(name): value for name, value in avis.items()},
        [TextAttempt(*row) for row in attempts],
        [PlacedOrder(*row) for row in orders],
        len(attempts) == _MOST_ATTEMPTS or len(orders) == _MOST_ORDERS,
    )
