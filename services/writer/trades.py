"""The counts of trades: what triggers note is added up, and a swapped table is counted at once.

`shared/db/tables/trades.py` says what counts. Triggers of `etablissements` note each change in the
transaction of its rows; here only the place of a number changes, never the sum that a reader sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from shared.clock import Clock
from shared.db.locks import Lock, hold, try_hold
from shared.db.tables.trades import TRADE
from shared.trades import COUNTS, is_counted

_ROWS = 20_000
_TRADE = ", ".join(TRADE)
_ADD = f"""
    INSERT INTO trade_counts AS c ({_TRADE}, etablissements, with_employees)
    {{counts}} ORDER BY {_TRADE}
    ON CONFLICT ({_TRADE}) DO UPDATE SET
      etablissements = c.etablissements + excluded.etablissements,
      with_employees = c.with_employees + excluded.with_employees
"""
_SUMS = f"""
    SELECT {_TRADE}, sum(etablissements), sum(with_employees) FROM changes GROUP BY {_TRADE}
"""
# In the order of the index, so that the changes of one trade are added in one go.
_ADD_UP = text(f"""
    WITH changes AS (
      DELETE FROM trade_count_changes
      WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM trade_count_changes
        ORDER BY code_commune, activite_principale LIMIT :rows))
      RETURNING {_TRADE}, etablissements, with_employees),
    added AS ({_ADD.format(counts=_SUMS)})
    SELECT count(*) FROM changes
""")
STAGED_TRADES = "stock_trades"
"""The table of the counts of a staging table, until it is swapped in."""
_ADD_STAGED = text(
    _ADD.format(counts=f"SELECT {_TRADE}, etablissements, with_employees FROM {STAGED_TRADES}")
)


def add_up(connection: Connection) -> int:
    """Add the next changes to the counts; return their number, 0 while another process does it."""
    if not try_hold(connection, Lock.TRADES):
        return 0
    return int(connection.scalar(_ADD_UP, {"rows": _ROWS}) or 0)


def count_staged(connection: Connection, staging: str) -> None:
    """Count the trades of a staging table, before anybody waits for its swap.

    An erasure, which reaches these rows, too, changes no column that counts.
    """
    counted = f"SELECT {_TRADE}, {COUNTS} FROM {staging} WHERE {is_counted()} GROUP BY {_TRADE}"
    # Nobody has analyzed the rows: the planner would sort them all.
    connection.exec_driver_sql("SET LOCAL enable_sort = off")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {STAGED_TRADES}")
    connection.exec_driver_sql(f"CREATE TABLE {STAGED_TRADES} AS {counted}")


def add_staged(connection: Connection) -> None:
    """Add the trades of the table that was swapped in; the one before it was empty: all were 0."""
    hold(connection, Lock.TRADES)
    connection.execute(_ADD_STAGED)
    connection.exec_driver_sql(f"DROP TABLE {STAGED_TRADES}")


@dataclass(frozen=True)
class Trades:
    """Adds up what was noted. Many writers may do so at one time."""

    engines: Sequence[Engine]
    clock: Clock

    def step(self) -> None:
        for engine in self.engines:
            added = _ROWS
            while added == _ROWS and not self.clock.stopping.is_set():
                with engine.begin() as connection:
                    added = add_up(connection)
