"""The treatment date up to which the register is complete, and the lag of its index."""

import asyncio
import datetime as dt
import time

from services.portal.web.connections import PortalDatabases, PreparedStatement
from shared.days import FRANCE

_KEPT_SECONDS = 5.0
_UNTIL = PreparedStatement(
    "register_until",
    "SELECT CASE WHEN count(*) = 2 THEN min(treated_until) END FROM watermarks",
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


class RegisterFreshness:
    """Reads the older watermark, at most every few seconds."""

    def __init__(self, databases: PortalDatabases) -> None:
        self._databases = databases
        self._read_at = float("-inf")
        self._until: dt.datetime | None = None
        self._lock = asyncio.Lock()

    async def until(self) -> dt.datetime | None:
        """Return the date, which has no offset; None before the first complete register."""
        async with self._lock:
            if time.monotonic() - self._read_at > _KEPT_SECONDS:
                ((self._until,),) = await self._databases.control.run(_UNTIL)
                self._read_at = time.monotonic()
            return self._until

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
