"""The budget's row: its state, and the orders of people: a cap, a pause, going on."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, text

from shared.errors import UserError
from shared.money.amounts import parse_cap
from shared.terminal.words import euros

ASKED = "asked"
_NOTHING = Decimal(0)

_READ = text("""
    SELECT cap_eur, reserved_eur, spent_eur, status, paused_because, sample_ids, changed_at,
      renewals_per_day
    FROM review_budget
""")
_PAUSE = text("""
    UPDATE review_budget
    SET status = 'paused', paused_because = :because, sample_ids = NULL,
        changed_at = clock_timestamp()
    WHERE status = 'running' AND (
      CAST(:sample_ids AS bigint[]) IS NULL OR sample_ids = CAST(:sample_ids AS bigint[]))
""")
_RESUME = text("""
    UPDATE review_budget
    SET status = 'running', paused_because = NULL, changed_at = clock_timestamp(),
        sample_ids = CAST(:sample_ids AS bigint[]),
        cap_eur = CASE WHEN :keep_cap THEN cap_eur ELSE CAST(:cap AS numeric) END
""")


@dataclass(frozen=True, slots=True)
class BudgetState:
    """`cap_eur` and `renewals_per_day` are None without such a limit.

    While `sample_ids` are set, only these texts are made.
    """

    cap_eur: Decimal | None
    reserved_eur: Decimal
    spent_eur: Decimal
    status: str
    paused_because: str | None
    sample_ids: Sequence[int] | None
    changed_at: dt.datetime
    renewals_per_day: int | None = None

    @property
    def paused(self) -> bool:
        return self.status == "paused"

    @property
    def left_eur(self) -> Decimal | None:
        """Return what is neither spent nor reserved; None without a cap."""
        if self.cap_eur is None:
            return None
        return max(_NOTHING, self.cap_eur - self.spent_eur - self.reserved_eur)


def read_budget(connection: Connection) -> BudgetState:
    return BudgetState(**connection.execute(_READ).mappings().one())


def pause(
    connection: Connection, because: str = ASKED, *, sample_ids: list[int] | None = None
) -> None:
    """Begin no more calls; calls under way are settled.

    Does nothing when the run is paused already, or no longer makes the sample in `sample_ids`.
    """
    connection.execute(_PAUSE, {"because": because, "sample_ids": sample_ids})


def resume(
    connection: Connection,
    *,
    cap_eur: Decimal | None = None,
    keep_cap: bool = True,
    sample_ids: list[int] | None = None,
) -> None:
    """Go on with all texts or with a sample, with `keep_cap` under the present cap."""
    values = {"cap": cap_eur, "keep_cap": keep_cap, "sample_ids": sample_ids}
    connection.execute(_RESUME, values)


def resume_under(
    connection: Connection,
    cap: str | None,
    *,
    no_cap: bool = False,
    sample_ids: list[int] | None = None,
) -> None:
    """Resume under the cap that a person typed. Raises UserError for a cap that cannot hold."""
    if cap is not None and no_cap:
        raise UserError("--cap and --no-cap exclude each other")
    amount = None if cap is None else parse_cap(cap)
    state = read_budget(connection)
    if amount is not None and amount < state.spent_eur + state.reserved_eur:
        raise UserError(
            f"a cap of {euros(amount)} is below what is spent or reserved already: "
            f"{euros(state.spent_eur + state.reserved_eur)}"
        )
    keep_cap = amount is None and not no_cap
    resume(connection, cap_eur=amount, keep_cap=keep_cap, sample_ids=sample_ids)
