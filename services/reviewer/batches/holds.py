"""The budget's part of a batch: set aside as a whole, settled as its answers come.

Each amount is a total since the batch began: an amount that comes twice counts once.
"""

import uuid
from dataclasses import replace
from decimal import Decimal

from sqlalchemy import Engine, text

from services.reviewer.batches.jobs import BatchTotals
from services.reviewer.money.budget import require_running
from shared.money.budget import read_budget

_LOCK = text("SELECT FROM review_budget FOR UPDATE")
_READ = text("""
    SELECT provider, reserved_eur, spent_eur, calls FROM review_batch_holds WHERE key = :key
""")
_HOLD = text("INSERT INTO review_batch_holds (key, provider, reserved_eur) VALUES (:key, :p, :eur)")
_SETTLE = text("""
    UPDATE review_batch_holds SET reserved_eur = :reserved, spent_eur = :spent, calls = :calls
    WHERE key = :key
""")
_END = text("DELETE FROM review_batch_holds WHERE key = :key")
_MOVE = text("""
    UPDATE review_budget SET
      reserved_eur = greatest(0, reserved_eur + :reserved), spent_eur = spent_eur + :spent
""")
_CHARGE = text("""
    UPDATE review_providers SET calls = calls + :calls, spent_eur = spent_eur + :spent
    WHERE name = :provider
""")


def hold(engine: Engine, key: uuid.UUID, provider: str, cost_eur: Decimal) -> bool:
    """Set aside the most that a batch can cost, once; return False where the budget has no room.

    Raises SlowDown when the run is paused.
    """
    with engine.begin() as connection:
        connection.execute(_LOCK)
        if connection.execute(_READ, {"key": key}).one_or_none() is not None:
            return True
        state = read_budget(connection)
        require_running(state)
        if cost_eur > 0 and state.left_eur is not None and cost_eur > state.left_eur:
            return False
        connection.execute(_MOVE, {"reserved": cost_eur, "spent": 0})
        connection.execute(_HOLD, {"key": key, "p": provider, "eur": cost_eur})
    return True


def settle(engine: Engine, key: uuid.UUID, now: BatchTotals) -> None:
    """Note what the answers have cost so far, and what the others still can cost."""
    with engine.begin() as connection:
        connection.execute(_LOCK)
        held = connection.execute(_READ, {"key": key}).one_or_none()
        if held is None or now.spent_eur < held.spent_eur:
            return
        spent = now.spent_eur - held.spent_eur
        reserved = now.left_eur - held.reserved_eur
        connection.execute(_MOVE, {"reserved": reserved, "spent": spent})
        charged = {"calls": now.answered - held.calls, "spent": spent, "provider": held.provider}
        connection.execute(_CHARGE, charged)
        totals = {"reserved": now.left_eur, "spent": now.spent_eur, "calls": now.answered}
        connection.execute(_SETTLE, {"key": key, **totals})


def end(engine: Engine, key: uuid.UUID, now: BatchTotals) -> None:
    """Settle for good and return the rest to the budget; a second call does nothing."""
    settle(engine, key, replace(now, left_eur=Decimal(0)))
    with engine.begin() as connection:
        connection.execute(_END, {"key": key})
