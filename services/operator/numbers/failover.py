"""The losses of a promotion whose standby was behind: found by what other databases know.

A database that went back is whole in itself: its pages, texts and watermarks are due again. Two
things reach beyond it. Another database says that a batch is complete whose rows went with this
one; and numbers of the lost time stand in messages and other databases, and would be given again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from services.operator.numbers.reconcile import Reconciliation
from shared.archive.tables import sequences_of
from shared.db.grants import become_owner
from shared.imports.orders import order_delta, order_import
from shared.imports.scope import Scope

# More numbers than any replica gives in the time that a standby can be behind.
_LEAP = 1_000_000
_LEAP_SEQUENCE = "SELECT setval('{0}', (SELECT last_value + {1} FROM {0}))"
_BATCHES = text("""
    SELECT id, departement, code_commune, activite_principale, etat_administratif, siret_from,
      siret_to, sirets, collection, treated_from
    FROM import_batches WHERE id = ANY(:ids) ORDER BY id
""")
# The rows are counted again by the run that brings them.
_STATE_WHAT_IS_THERE = text("""
    UPDATE import_batches SET received_distinct = received_distinct - :unlisted,
      stored = stored - :unstored, inserted = inserted - :rows, unchanged = unchanged + :rows
    WHERE id = :id
""")


@dataclass(frozen=True)
class Recovery:
    """`rows` are lost establishments, or lost versions of them; `runs` bring them again."""

    batches: Sequence[int] = ()
    rows: int = 0
    runs: list[int] = field(default_factory=list)


def leap(connection: Connection) -> None:
    """Let each table number its next rows far above all that were lost, as the owner.

    Raises UserError where this session may not.
    """
    become_owner(connection)
    for sequence in sequences_of(connection).values():
        connection.execute(text(_LEAP_SEQUENCE.format(sequence, _LEAP)))


def fetch_again(control: Connection, found: Reconciliation) -> Recovery:
    """Order the windows of batches that have lost rows, and state what is left of these batches."""
    unlisted = _by_batch(found, "received_distinct")
    unstored = _by_batch(found, "stored")
    [lost] = [each.difference for each in found.totals if each.counter == "inserted"]
    left = max(0, lost)
    for batch, number in unlisted.items():
        # A row that was there before the batch has lost a version, and is there still.
        rows = min(left, unstored.get(batch, 0))
        left -= rows
        values = {"unlisted": number, "unstored": unstored.get(batch, 0), "rows": rows}
        control.execute(_STATE_WHAT_IS_THERE, {"id": batch} | values)
    batches = control.execute(_BATCHES, {"ids": list(unlisted)}).mappings().all()
    return Recovery(list(unlisted), sum(unlisted.values()), list(_order(control, batches)))


def _by_batch(found: Reconciliation, counter: str) -> dict[int, int]:
    """Return how many more a batch says it has than there are."""
    return {
        each.batch: each.difference
        for each in found.differing
        if isinstance(each.batch, int) and each.counter == counter and each.difference > 0
    }


def _order(control: Connection, batches: Sequence[RowMapping]) -> Iterator[int]:
    deltas = [batch["treated_from"] for batch in batches if batch["collection"] is not None]
    for scope in dict.fromkeys(_scope(batch) for batch in batches if batch["collection"] is None):
        yield order_import(control, scope)
    if deltas:
        yield order_delta(control, since=min(deltas))


def _scope(batch: RowMapping) -> Scope:
    def only(value: Any) -> tuple[Any, ...]:
        return () if value is None else (value,)

    return Scope(
        departements=only(batch["departement"]),
        communes=only(batch["code_commune"]),
        activites=only(batch["activite_principale"]),
        etat_administratif=batch["etat_administratif"],
        siret_from=batch["siret_from"],
        siret_to=batch["siret_to"],
        sirets=tuple(batch["sirets"] or ()),
    )
