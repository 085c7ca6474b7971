"""The portal's word of itself: alive, ready, how fresh and how fast."""

import asyncio
import datetime as dt
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from services.portal.web.answer_times import AnswerTimes
from services.portal.web.connections import PortalDatabases, PreparedStatement
from services.portal.web.freshness import RegisterFreshness
from shared.clock import Clock
from shared.days import FRANCE
from shared.errors import SlowDown

_ALIVE = PreparedStatement("alive", "SELECT 1")
_NO_STORE = {"Cache-Control": "no-store"}
_PATIENCE_SECONDS = 3.0


class Health:
    """The routes for whoever watches the portal."""

    def __init__(
        self,
        databases: PortalDatabases,
        freshness: RegisterFreshness,
        times: AnswerTimes,
        clock: Clock,
    ) -> None:
        self._databases = databases
        self._freshness = freshness
        self._times = times
        self._clock = clock

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/status", self.status),
        )

    async def healthz(self, _request: Request) -> Response:
        """Answer as long as the process does, whatever the databases do."""
        return PlainTextResponse("ok\n", headers=_NO_STORE)

    async def readyz(self, _request: Request) -> Response:
        if await self._is_ready():
            return PlainTextResponse("ready\n", headers=_NO_STORE)
        headers = {**_NO_STORE, "Retry-After": "5"}
        return PlainTextResponse("a database does not answer\n", 503, headers=headers)

    async def status(self, _request: Request) -> Response:
        until, _, imported_at = await self._freshness.state()
        age_seconds = await self._freshness.age_seconds(self._clock.now())
        lag_seconds, p95 = await self._freshness.index_lag_seconds(), self._times.p95()
        return JSONResponse(
            {
                "source": "Insee, Sirene",
                "a_jour_au": None if until is None else until.isoformat(),
                "dernier_import": None if imported_at is None else _in_france(imported_at),
                "retard_secondes": None if age_seconds is None else round(age_seconds),
                "retard_index_secondes": None if lag_seconds is None else round(lag_seconds, 1),
                # The number is of this process: several answer behind one port.
                "p95_secondes": None if p95 is None else round(p95, 4),
            },
            headers=_NO_STORE,
        )

    async def _is_ready(self) -> bool:
        every = {self._databases.control, *self._databases.shards}
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await asyncio.gather(*(each.run(_ALIVE) for each in every))
        except (SlowDown, TimeoutError):
            return False
        return True


def _in_france(at: dt.datetime) -> str:
    return at.astimezone(FRANCE).isoformat(timespec="seconds")
