"""The budget: one row for all replicas, and a reservation for each call that is under way.

Before a call leaves, one conditional UPDATE reserves the most that it can cost. Afterwards the
call is settled by its real cost. Spent and reserved money together never exceed the cap, however
many callers race. When a call does not fit, the run is paused; it never fails.
"""

from collections.abc import Sequence
from decimal import Decimal

import structlog
from sqlalchemy import Engine, TextClause, text

from services.reviewer.money.rate_limits import TOKENS
from services.reviewer.providers.limits import CallLimit
from shared.money.budget import BudgetState, pause, read_budget, resume

log = structlog.get_logger()

# The message returns after this time: texts of a run that is resumed go on at once.
_PAUSE_SECONDS = 1.0

_RESERVE = text("""
    WITH held AS (
      UPDATE review_budget SET reserved_eur = reserved_eur + :cost
      WHERE status = 'running'
        AND (:cost = 0 OR cap_eur IS NULL OR spent_eur + reserved_eur + :cost <= cap_eur)
      RETURNING id)
    INSERT INTO review_reservations (provider, tokens, cost_eur, expires_at)
    SELECT :provider, :tokens, :cost, clock_timestamp() + make_interval(secs => :expires_after)
    FROM held
    RETURNING id
""")
# Reservations do not count: calls under way may settle for less, and leave room.
_PAUSE_AT_CAP = text("""
    UPDATE review_budget
    SET status = 'paused', paused_because = 'cap', changed_at = clock_timestamp()
    WHERE status = 'running' AND spent_eur + :cost > cap_eur
    RETURNING id
""")
# An expired reservation was counted as spent: the real cost replaces it. Every statement that
# locks both rows locks the budget before the provider.
_SETTLE = text(f"""
    WITH gone AS (
      DELETE FROM review_reservations WHERE id = :id
      RETURNING provider, tokens, cost_eur, expired_at IS NOT NULL AS expired),
    paid AS (
      UPDATE review_budget SET
        reserved_eur = greatest(0, reserved_eur - CASE WHEN expired THEN 0 ELSE cost_eur END),
        spent_eur = greatest(0, spent_eur - CASE WHEN expired THEN cost_eur ELSE 0 END) + :spent
      FROM gone
      RETURNING review_budget.id)
    UPDATE review_providers SET
      calls = calls + 1,
      spent_eur = greatest(
        0, review_providers.spent_eur - CASE WHEN expired THEN cost_eur ELSE 0 END) + :spent,
      tokens_arrival_at = CASE WHEN tokens_per_minute IS NULL THEN tokens_arrival_at
        ELSE tokens_arrival_at - {TOKENS.interval("(gone.tokens - :tokens)")} END
    FROM gone, paid WHERE name = gone.provider
""")
_EXPIRE = text("""
    WITH dead AS (
      SELECT id FROM review_reservations
      WHERE expired_at IS NULL AND expires_at < clock_timestamp()
      ORDER BY id LIMIT 1000
      FOR UPDATE SKIP LOCKED),
    expired AS (
      UPDATE review_reservations r SET expired_at = clock_timestamp()
      FROM dead WHERE r.id = dead.id
      RETURNING r.provider, r.cost_eur),
    total AS (SELECT sum(cost_eur) AS cost, count(*) AS calls FROM expired),
    paid AS (
      UPDATE review_budget SET
        reserved_eur = greatest(0, reserved_eur - total.cost), spent_eur = spent_eur + total.cost
      FROM total WHERE total.calls > 0
      RETURNING id),
    charged AS (
      UPDATE review_providers p SET spent_eur = p.spent_eur + by_provider.cost
      FROM (SELECT provider, sum(cost_eur) AS cost FROM expired GROUP BY provider) by_provider, paid
      WHERE p.name = by_provider.provider)
    SELECT calls, cost FROM total
""")
# After a day its process is dead, or its settlement will never come.
_PURGE = text("DELETE FROM review_reservations WHERE expired_at < now() - interval '1 day'")


def require_running(state: BudgetState) -> None:
    """Raises SlowDown when the run is paused: BUDGET_REACHED."""
    if state.paused:
        message = f"the run is paused: {state.paused_because}"
        raise CallLimit.BUDGET_REACHED.error(message, _PAUSE_SECONDS)


class Budget:
    """The row in the control database. Each method is one short transaction, or two."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._in_transactions = engine

    def read(self) -> BudgetState:
        with self._engine.connect() as connection:
            return read_budget(connection)

    def admitted(self, avis_ids: Sequence[int]) -> list[int]:
        """Return the avis that may be made now: none while the run is paused."""
        state = self.read()
        if state.paused:
            return []
        wanted = state.sample_ids
        return [avis_id for avis_id in avis_ids if wanted is None or avis_id in wanted]

    def reserve(
        self, provider: str, *, tokens: int, cost_eur: Decimal, expires_after_seconds: float
    ) -> int | None:
        """Return the reservation's id; None without room until calls under way are settled.

        Raises SlowDown when the run is paused, or when this call pauses it: BUDGET_REACHED.
        """
        values = {
            "provider": provider,
            "tokens": tokens,
            "cost": cost_eur,
            "expires_after": expires_after_seconds,
        }
        with self._engine.connect() as connection:
            reserved: int | None = connection.execute(_RESERVE, values).scalar_one_or_none()
            if reserved is not None:
                return reserved
            paused = connection.execute(_PAUSE_AT_CAP, {"cost": cost_eur}).scalar_one_or_none()
            state = read_budget(connection)
        if paused is not None:
            log.error(
                "the next call would exceed the cap: the run is paused until"
                " ./sirenade avis resume --cap EUR",
                cap_eur=None if state.cap_eur is None else f"{state.cap_eur:f}",
                spent_eur=f"{state.spent_eur:f}",
            )
        require_running(state)
        return None

    def settle(self, reservation_id: int, *, tokens: int, spent_eur: Decimal) -> None:
        """Replace the reservation by the real cost; a second time does nothing."""
        self._execute(_SETTLE, id=reservation_id, tokens=tokens, spent=spent_eur)

    def expire(self) -> int:
        """Count reservations of dead processes as spent: their calls may have been billed."""
        with self._in_transactions.begin() as connection:
            # Reservations are locked before the budget, as by a settlement.
            connection.execute(_PURGE)
            row = connection.execute(_EXPIRE).one()
        if row.calls:
            log.warning("expired reservations count as spent", calls=row.calls)
        return int(row.calls)

    def pause(self, because: str, *, sample_ids: list[int] | None = None) -> None:
        """Begin no more calls; calls under way are settled.

        Does nothing when the run is paused already, or no longer makes the sample in `sample_ids`.
        """
        with self._engine.connect() as connection:
            pause(connection, because, sample_ids=sample_ids)

    def resume(
        self,
        *,
        cap_eur: Decimal | None = None,
        keep_cap: bool = True,
        sample_ids: list[int] | None = None,
    ) -> None:
        """Go on with all texts or with a sample, with `keep_cap` under the present cap."""
        with self._engine.connect() as connection:
            resume(connection, cap_eur=cap_eur, keep_cap=keep_cap, sample_ids=sample_ids)

    def _execute(self, statement: TextClause, **values: object) -> None:
        with self._engine.connect() as connection:
            connection.execute(statement, values)
