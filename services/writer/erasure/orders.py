"""The erasures that people order in the console, carried out as `./sirenade forget` does."""

from collections.abc import Sequence

import structlog
from sqlalchemy import Engine, text

from services.writer.erasure.oppositions import forget
from shared.avis import OrderStatus
from shared.clock import Clock
from shared.errors import UserError

log = structlog.get_logger()

_NEXT = text("""
    SELECT id, siren, reason FROM erasure_orders WHERE status = 'pending' ORDER BY id LIMIT 1
""")
_END = text("""
    UPDATE erasure_orders SET status = :status, refusal = :refusal, erased_rows = :erased_rows,
      done_at = clock_timestamp()
    WHERE id = :id AND status = 'pending'
""")


class ErasureOrders:
    """Carries out the orders of these databases.

    An erasure may be repeated: a kill between it and the mark of its order loses nothing, and two
    writers do no harm.
    """

    def __init__(self, shards: Sequence[Engine], clock: Clock) -> None:
        self._shards = shards
        self._clock = clock

    def step(self) -> None:
        for shard in self._shards:
            while not self._clock.stopping.is_set() and _carry_out_one(shard):
                pass


def _carry_out_one(engine: Engine) -> bool:
    """Carry out the oldest order; return False where none is left."""
    with engine.connect() as connection:
        order = connection.execute(_NEXT).one_or_none()
    if order is None:
        return False
    end = {"id": order.id, "status": OrderStatus.DONE, "refusal": None, "erased_rows": None}
    try:
        forgotten = forget(engine, order.siren, reason=order.reason)
        end["erased_rows"] = sum(forgotten.erased.values())
    except UserError as error:
        end |= {"status": OrderStatus.REFUSED, "refusal": str(error)}
    with engine.begin() as connection:
        connection.execute(_END, end)
    log.info("order of an erasure", order_id=order.id, status=end["status"])
    return True
