"""The treatment date of INSEE up to which the register is complete."""

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

    async def age_seconds(self, now: dt.datetime) -> float | None:
        until = await self.until()
        return None if until is None else (now - until.replace(tzinfo=FRANCE)).total_seconds()
