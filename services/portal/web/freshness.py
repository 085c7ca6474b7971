"""The date up to which the register is complete, its last import, and the lag of its index."""

import asyncio
import datetime as dt
import time
from typing import NamedTuple

from services.portal.web.connections import PortalDatabases, PreparedStatement
from shared.days import FRANCE, day_in_france

_KEPT_SECONDS = 5.0
_STATE = PreparedStatement(
    "register_state",
    """
    SELECT CASE WHEN count(*) = 2 THEN min(treated_until) END,
      (SELECT min(created_at) FROM import_runs WHERE status = 'complete' AND kind = 'scope'),
      greatest(
        (SELECT completed_at FROM import_runs WHERE status = 'complete' AND kind <> 'refresh'
          ORDER BY id DESC LIMIT 1),
        (SELECT max(finished_at) FROM stock_loads WHERE status IN ('stored', 'complete')))
    FROM watermarks""",
)

_INDEX_LAG = PreparedStatement(
    "index_lag",
    """
    SELECT coalesce((
      SELECT CAST(extract(epoch FROM clock_timestamp() - c.changed_at) AS double precision)
      FROM page_changes c
      WHERE (c.xid, c.pro_localisation_id) > (
        CAST(split_part(s.position, '.', 1) AS bigint),
        CAST(split_part(s.position, '.', 2) AS bigint))
      ORDER BY c.xid, c.pro_localisation_id LIMIT 1), 0)
    FROM search_cursors s WHERE s.consumer = 'index' AND s.position IS NOT NULL""",
)


class RegisterState(NamedTuple):
    """`until` has no offset; None before the first complete register.

    `first_ordered_at`: the beginning of the first import; `imported_at`: the end of the last one,
    whatever it was of. Both are None before the first one.
    """

    until: dt.datetime | None = None
    first_ordered_at: dt.datetime | None = None
    imported_at: dt.datetime | None = None


class RegisterFreshness:
    """Reads the state of the register, at most every few seconds."""

    def __init__(self, databases: PortalDatabases) -> None:
        self._databases = databases
        self._read_at = float("-inf")
        self._state = RegisterState()
        self._lock = asyncio.Lock()

    async def state(self) -> RegisterState:
        if time.monotonic() - self._read_at > _KEPT_SECONDS:
            async with self._lock:
                if time.monotonic() - self._read_at > _KEPT_SECONDS:
                    (row,) = await self._databases.control.run(_STATE)
                    self._state = RegisterState(*row)
                    self._read_at = time.monotonic()
        return self._state

    async def until(self) -> dt.datetime | None:
        return (await self.state()).until

    async def day(self) -> dt.date | None:
        """Return the day up to which the data are complete.

        Where nothing measures it, nothing is older than the day before the first import.
        """
        state = await self.state()
        if state.until is not None:
            return state.until.date()
        first = state.first_ordered_at
        return None if first is None else day_in_france(first) - dt.timedelta(days=1)

    async def index_lag_seconds(self) -> float | None:
        """Return the age of the oldest change that the index of a shard has not read.

        None where a shard has no index.
        """
        found = await self._databases.each(_INDEX_LAG)
        lags = [lag for rows in found for (lag,) in rows]
        return max(lags) if len(lags) == len(found) else None

    async def age_seconds(self, now: dt.datetime) -> float | None:
        until = await self.until()
        return None if until is None else (now - until.replace(tzinfo=FRANCE)).total_seconds()
