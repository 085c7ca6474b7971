"""The redirections of single numbers: a duplicate leads elsewhere, which no search tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, text

from services.fetcher.insee.answers import OneAnswer

_STATES: Final = {200: "listed", 301: "moved", 403: "withheld", 404: "unknown"}

_RECORD = text("""
    INSERT INTO redirections (siren_or_siret, target) VALUES (:number, :target)
    ON CONFLICT (siren_or_siret) DO UPDATE SET target = excluded.target, seen_at = now()
""")
# INSEE lists the number again, so it leads nowhere else any more.
_FORGET = text("DELETE FROM redirections WHERE siren_or_siret = :number")
# A retry has asked for them, and they are still open: no search lists them, so they stay open.
_UNLISTED = text("""
    SELECT f.key FROM failed_items f
    WHERE f.kind = 'write' AND f.resolved_at IS NULL AND f.key ~ '^[0-9]{14}$'
      AND EXISTS (SELECT FROM import_batches b
        WHERE b.status = 'complete' AND b.created_at > f.created_at AND f.key = ANY(b.sirets)
          AND NOT EXISTS (SELECT FROM slice_receipts r
            WHERE r.batch_id = b.id AND f.key = ANY(r.sirets)))
      AND NOT EXISTS (SELECT FROM redirections r WHERE r.siren_or_siret = f.key)
    ORDER BY f.key
""")


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The state of a number at INSEE; `target` is the number that a moved one leads to."""

    number: str
    state: str
    target: str | None


def unlisted_sirets(engine: Engine) -> Sequence[str]:
    """Return failed sirets that were asked for once more, and that INSEE did not list."""
    with engine.connect() as connection:
        return connection.execute(_UNLISTED).scalars().all()


def record(engine: Engine, number: str, answer: OneAnswer) -> LookedUp:
    """Keep a redirection, or delete one that INSEE took back."""
    state = _STATES[answer.status]
    with engine.begin() as connection:
        if answer.moved_to is not None:
            connection.execute(_RECORD, {"number": number, "target": answer.moved_to})
        elif state == "listed":
            connection.execute(_FORGET, {"number": number})
    return LookedUp(number, state, answer.moved_to)
