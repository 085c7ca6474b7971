"""Statements that PostgreSQL plans once for a connection instead of once for each slice.

A plan over tables of dozens of columns takes 5 ms of CPU, as much as a hundred new rows.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult

_PARAMETER = re.compile(r"(?<!:):(\w+)")
_NAMES = "sirenade_prepared"
_RUNS = "sirenade_prepared_runs"
_RUNS_OF_A_PLAN = 500


class Prepared:
    """A statement with `:name` parameters, prepared when a connection first runs it.

    A parameter needs a CAST where its place does not tell its type. The statements `first` run in
    the same round trip, each before the next one takes its snapshot.
    """

    def __init__(self, name: str, statement: str, *, first: Sequence["Prepared"] = ()) -> None:
        self.name = name
        numbers = {
            parameter: number
            for number, parameter in enumerate(dict.fromkeys(_PARAMETER.findall(statement)), 1)
        }
        numbered = _PARAMETER.sub(lambda found: f"${numbers[found[1]]}", statement)
        given = f" ({', '.join(f'%({parameter})s' for parameter in numbers)})" if numbers else ""
        self.preparation = f"PREPARE {name} AS {numbered}"
        self.execution: str = "; ".join(
            [*(each.execution for each in first), f"EXECUTE {name}{given}"]
        )
        self._needed = (*first, self)

    def run(
        self, connection: Connection, parameters: Mapping[str, object] | None = None
    ) -> CursorResult[Any]:
        names: set[str] = connection.info.setdefault(_NAMES, set())
        for needed in self._needed:
            if needed.name not in names:
                connection.exec_driver_sql(needed.preparation)
                names.add(needed.name)
        _renew_plans(connection)
        # It goes to the driver directly: SQLAlchemy takes as long as a small statement itself.
        return connection.exec_driver_sql(self.execution, parameters)

    def tuples(
        self, connection: Connection, parameters: Mapping[str, object]
    ) -> Sequence[Sequence[Any]]:
        """Return the rows as the driver made them: for thousands, SQLAlchemy's take as long."""
        found = self.run(connection, parameters)
        assert found.cursor is not None
        rows = found.cursor.fetchall()
        found.close()
        return rows


def _renew_plans(connection: Connection) -> None:
    """Plan again as the tables grow: a plan for a table of ten rows reads the whole table."""
    runs = connection.info[_RUNS] = connection.info.get(_RUNS, 0) + 1
    if runs & (runs - 1) == 0 or runs % _RUNS_OF_A_PLAN == 0:
        connection.exec_driver_sql("DISCARD PLANS")
