"""The orders of people about texts: hold, release, reject, edit, regenerate.

An order is a row that a reviewer carries out, so that a command and a console do the same, and no
service imports another.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from shared.avis import OrderStatus, TextOrder
from shared.db.locks import LockFamily, hold_one_sql
from shared.errors import UserError
from shared.sirene.identifiers import siren_of


def seen_sql(before: str = "NULL") -> str:
    """Return SQL for the state of the text of the avis `a`: a digest, another one after a change.

    The orders about it count, so that of two people who look at one text the second is told;
    `before` is the id of an order that does not count, and none that came later.
    """
    return f"""encode(sha256(convert_to(jsonb_build_array(a.text, a.outcome, a.facts_hash,
      a.accepted_facts_hash, a.held_because, a.model, (
        SELECT max(o.id) FROM avis_orders o
        WHERE o.siret = a.siret AND o.kind = a.kind
          AND ({before} IS NULL OR o.id < {before})))::text, 'UTF8')), 'hex')"""


_HOLD_UNIT = text(f"SELECT {hold_one_sql(LockFamily.TEXT_ORDERS, 'CAST(:siren AS int)')}")
_PLACE = text(f"""
    INSERT INTO avis_orders (siret, siren, kind, verb, ordered_by, reason, text, override, seen)
    SELECT :siret, :siren, :kind, :verb, :ordered_by, :reason, :text, :override, :seen
    WHERE CAST(:seen AS text) IS NULL OR EXISTS (
      SELECT FROM avis a WHERE a.siret = :siret AND a.kind = :kind AND :seen = {seen_sql()})
    RETURNING id
""")
_READ = text("SELECT status, refusal FROM avis_orders WHERE id = :id")


class TextHasChanged(UserError):
    """The text is no longer the one that was looked at."""


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """The state of an order; `refusal` is the reason where it is refused."""

    status: OrderStatus
    refusal: str | None


def place_order(connection: Connection, order: TextOrder) -> int:
    """Insert the order in the establishment's database; return its id.

    Raises TextHasChanged where `order.seen` is not the state of the text any more: somebody else
    has ordered something, or the text or its facts are others.
    """
    values = asdict(order) | {"siren": siren_of(order.siret)}
    if order.seen is not None:
        connection.execute(_HOLD_UNIT, values)
    placed: int | None = connection.execute(_PLACE, values).scalar_one_or_none()
    if placed is None:
        raise TextHasChanged("the text has changed since it was read: look at it again")
    return placed


def read_outcome(connection: Connection, order_id: int) -> OrderOutcome | None:
    """Return the state of an order; None where an erasure took it with its establishment."""
    row = connection.execute(_READ, {"id": order_id}).one_or_none()
    return None if row is None else OrderOutcome(OrderStatus(row.status), row.refusal)
