"""The orders of people about texts: hold, release, reject, edit.

An order is a row that a reviewer carries out, so that a command and a console do the same, and no
service imports another.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from shared.avis import OrderStatus, TextOrder
from shared.sirene.identifiers import siren_of

_PLACE = text("""
    INSERT INTO avis_orders (siret, siren, kind, verb, ordered_by, reason, text, override)
    VALUES (:siret, :siren, :kind, :verb, :ordered_by, :reason, :text, :override)
    RETURNING id
""")
_READ = text("SELECT status, refusal FROM avis_orders WHERE id = :id")


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """The state of an order; `refusal` is the reason where it is refused."""

    status: OrderStatus
    refusal: str | None


def place_order(connection: Connection, order: TextOrder) -> int:
    """Insert the order in the establishment's database; return its id."""
    values = asdict(order) | {"siren": siren_of(order.siret)}
    return int(connection.execute(_PLACE, values).scalar_one())


def read_outcome(connection: Connection, order_id: int) -> OrderOutcome | None:
    """Return the state of an order; None where an erasure took it with its establishment."""
    row = connection.execute(_READ, {"id": order_id}).one_or_none()
    return None if row is None else OrderOutcome(OrderStatus(row.status), row.refusal)
