"""Exports of what filters find, streamed as CSV or Parquet."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.portal.api import parameters as parameter
from services.portal.api.answers import SOURCE, Stamp
from services.portal.api.cursors import opened, seal
from services.portal.api.exports import columnar, spreadsheets
from services.portal.api.problems import invalid_cursor
from services.portal.api.recherche import FILTERS, filters_of
from services.portal.api.results import ResultRow, Results
from services.portal.api.statements import RESULT_COLUMNS
from services.portal.search.engine import Engine, Search, UnknownPlace
from shared.errors import SlowDown

MOST_ROWS = 100_000
ROWS_OF_A_GROUP = 5_000
"""A group of rows of a Parquet file is held in memory."""
COLUMNS = tuple(name for name in RESULT_COLUMNS if name != "id")
EXPORT_PARAMETERS = (
    *FILTERS,
    parameter.whole("limite", "Le nombre de lignes.", 1, MOST_ROWS, default=MOST_ROWS),
    parameter.cursor(),
)
_HITS_AT_ONCE = 500


class _Part(NamedTuple):
    """A part of a walk: rows that were found at once, and where the rest begins."""

    hits: int
    rows: Sequence[ResultRow]
    following: str | None


class _Walk:
    """One walk over all that filters find; `cursor` says where it stopped, None at the end."""

    def __init__(self, engine: Engine, results: Results, values: Mapping[str, Any]) -> None:
        self._engine = engine
        self._results = results
        self._values = values
        self._asked = {k: v for k, v in values.items() if k not in {"curseur", "limite"}}
        sent = values["curseur"]
        self._after: str | None = opened(sent, self._asked, str)[0] if sent else None
        self._ready: _Part | None = None

    @property
    def cursor(self) -> str | None:
        return None if self._after is None else seal([self._after], self._asked)

    async def begin(self) -> None:
        """Read the first rows, while a problem can still be the answer. Raises Problem."""
        try:
            self._ready = await self._read(self._values["limite"])
        except UnknownPlace:
            raise invalid_cursor() from None

    async def parts(self) -> AsyncIterator[list[list[Any]]]:
        left = self._values["limite"]
        while left > 0:
            try:
                part = self._ready or await self._read(left)
            except SlowDown:
                # The reader learns from the cursor that there is more.
                return
            self._ready, self._after = None, part.following
            left -= part.hits
            yield [[row[name] for name in COLUMNS] for row in part.rows]
            if part.following is None:
                return

    async def _read(self, left: int) -> _Part:
        found = await self._engine.find(
            Search(
                filters=filters_of(self._values),
                limit=min(left, _HITS_AT_ONCE),
                after=self._after,
            )
        )
        return _Part(len(found.hits), await self._results.rows(found.hits), found.next)


class Exports:
    """Answers exports; whoever asks has a key."""

    def __init__(self, engine: Engine, results: Results, stamp: Stamp) -> None:
        self._engine = engine
        self._results = results
        self._stamp = stamp

    async def export_csv(self, request: Request) -> Response:
        walk = await self._walk(request)
        return StreamingResponse(
            _csv(walk), headers=await self._headers("csv"), media_type=spreadsheets.MEDIA_TYPE
        )

    async def export_parquet(self, request: Request) -> Response:
        walk = await self._walk(request)
        day = await self._stamp.day()
        return StreamingResponse(
            _parquet(walk, {"source": SOURCE, "a_jour_au": str(day or "")}),
            headers=await self._headers("parquet"),
            media_type=columnar.MEDIA_TYPE,
        )

    async def _walk(self, request: Request) -> _Walk:
        values = parameter.read(EXPORT_PARAMETERS, request.query_params.multi_items())
        walk = _Walk(self._engine, self._results, values)
        await walk.begin()
        return walk

    async def _headers(self, ending: str) -> dict[str, str]:
        day = await self._stamp.day()
        return {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="etablissements.{ending}"',
            "X-Source": SOURCE,
            **({} if day is None else {"X-A-Jour-Au": str(day)}),
        }


async def _csv(walk: _Walk) -> AsyncIterator[bytes]:
    yield spreadsheets.csv_lines([COLUMNS])
    async for rows in walk.parts():
        yield spreadsheets.csv_lines(rows)
    yield spreadsheets.trailer(walk.cursor)


async def _parquet(walk: _Walk, facts: Mapping[str, str]) -> AsyncIterator[bytes]:
    """Yield the file; its metadata hold the cursor, which stands at the end of a Parquet file."""
    file = columnar.ParquetFile(COLUMNS)
    group: list[list[Any]] = []
    async for rows in walk.parts():
        group += rows
        if len(group) >= ROWS_OF_A_GROUP:
            yield file.group(group)
            group = []
    if group:
        yield file.group(group)
    yield file.end({**facts, "curseur": walk.cursor or ""})
