"""Counts of trades compared with rows, and mended where they differ."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from shared.db.tables.trades import TRADE
from shared.trades import COUNTS, is_counted

_TRADE = ", ".join(TRADE)
_SUMS = "etablissements, with_employees"
# The difference is one more change: what other transactions note or add up meanwhile stays true.
_MEND = text(f"""
    WITH counted AS (
      SELECT {_TRADE}, sum(etablissements) AS etablissements, sum(with_employees) AS with_employees
      FROM (
        SELECT {_TRADE}, {_SUMS} FROM trade_counts
        UNION ALL SELECT {_TRADE}, {_SUMS} FROM trade_count_changes) noted
      GROUP BY {_TRADE}),
    found AS (
      SELECT {_TRADE}, {COUNTS} FROM etablissements WHERE {is_counted()} GROUP BY {_TRADE}),
    mended AS (
      INSERT INTO trade_count_changes ({_TRADE}, {_SUMS})
      SELECT {_TRADE}, coalesce(f.etablissements, 0) - coalesce(c.etablissements, 0),
        coalesce(f.with_employees, 0) - coalesce(c.with_employees, 0)
      FROM counted c FULL JOIN found f USING ({_TRADE})
      WHERE coalesce(f.etablissements, 0) <> coalesce(c.etablissements, 0)
        OR coalesce(f.with_employees, 0) <> coalesce(c.with_employees, 0)
      RETURNING 1)
    SELECT (SELECT coalesce(sum(etablissements), 0)::bigint FROM counted) AS counted,
      (SELECT coalesce(sum(etablissements), 0)::bigint FROM found) AS real,
      (SELECT count(*) FROM mended) AS mended
""")


@dataclass(frozen=True)
class TradesFound:
    """Open establishments by the counts and by the rows, and how many counts were wrong."""

    counted: int = 0
    real: int = 0
    mended: int = 0

    def __add__(self, other: "TradesFound") -> "TradesFound":
        return TradesFound(
            self.counted + other.counted, self.real + other.real, self.mended + other.mended
        )


def mend_trades(connection: Connection) -> TradesFound:
    """Compare the counts of one database with its rows in one snapshot; write what differs.

    The caller commits.
    """
    return TradesFound(**connection.execute(_MEND).one()._asdict())
