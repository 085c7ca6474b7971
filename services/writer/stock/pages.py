"""The pro_localisations and due avis of the establishments that a load brought or changed."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from sqlalchemy import Connection, Engine, text

from services.writer.erasure.tombstones import hold_unites
from services.writer.pages.pages import renew_many
from services.writer.slices.statements import CREATE_NEW
from services.writer.stock.log import StockLoad
from services.writer.stock.store import retry
from services.writer.stock.view import View

_PAGE_ROWS = 1000
_FOUND_GROUPS = 20
_RENEWERS = 2
# A killed command renews at most these groups again.
_WAITING_GROUPS = 3

_TOUCHED = """
    FROM etablissements e LEFT JOIN unites_legales u USING (siren)
    WHERE e.siret > :after
      AND ((e.fetched_at = ANY(:stamps) AND e.updated_at >= :since)
        OR (u.fetched_at = ANY(:stamps) AND u.updated_at >= :since))
"""
_COUNT = text(f"SELECT count(*) {_TOUCHED}")
_NEXT = text(f"SELECT e.siret {_TOUCHED} ORDER BY e.siret LIMIT :rows")
_KEEP = text("UPDATE stock_loads SET pages_siret = :siret WHERE id = ANY(:ids)")


def count_touched(connection: Connection, loads: Sequence[StockLoad]) -> int:
    """Count the establishments whose pages are still to be renewed."""
    return int(connection.scalar(_COUNT, _parameters(loads)) or 0)


def renew_all(
    engine: Engine, loads: Sequence[StockLoad], view: View, *, sole_traders: bool
) -> None:
    """Renew the pages of all establishments of the loads; after a kill it goes on where it was.

    Two connections renew, so that one is at work while the server is busy with the other. Rows that
    the API brought meanwhile have their pages already, and are skipped.
    """
    with engine.begin() as connection:
        total = count_touched(connection, loads)
    waiting: deque[tuple[str, Future[None]]] = deque()
    done = 0
    with ThreadPoolExecutor(_RENEWERS, thread_name_prefix="pages") as renewers:
        try:
            for sirets in _groups(engine, loads):
                renew = partial(_renew, sirets=sirets, sole_traders=sole_traders)
                waiting.append((sirets[-1], renewers.submit(retry, engine, renew)))
                done += len(sirets)
                if len(waiting) > _WAITING_GROUPS:
                    _finish_first(engine, loads, waiting)
                view.advance(done, min(done / total, 1.0) if total else None)
            while waiting:
                _finish_first(engine, loads, waiting)
        finally:
            for _, future in waiting:
                future.cancel()


def _groups(engine: Engine, loads: Sequence[StockLoad]) -> Iterator[list[str]]:
    """Yield the sirets in their order, some at a time; the server looks for many at once."""
    parameters = {**_parameters(loads), "rows": _PAGE_ROWS * _FOUND_GROUPS}
    while True:
        with engine.begin() as connection:
            sirets: list[str] = list(connection.scalars(_NEXT, parameters))
        for first in range(0, len(sirets), _PAGE_ROWS):
            yield sirets[first : first + _PAGE_ROWS]
        if not sirets:
            return
        parameters["after"] = sirets[-1]


def _renew(connection: Connection, *, sirets: list[str], sole_traders: bool) -> None:
    hold_unites(connection, sorted({siret[:9] for siret in sirets}))
    connection.execute(CREATE_NEW)
    renew_many(connection, sirets, sole_traders=sole_traders)


def _finish_first(
    engine: Engine, loads: Sequence[StockLoad], waiting: deque[tuple[str, Future[None]]]
) -> None:
    """Wait for the first group, before which all are done, and note its last siret."""
    siret, future = waiting.popleft()
    future.result()
    with engine.begin() as connection:
        connection.execute(_KEEP, {"siret": siret, "ids": [load.id for load in loads]})


def _parameters(loads: Sequence[StockLoad]) -> dict[str, object]:
    return {
        # Stamps and start together tell the rows of these loads from older rows and from newer rows
        # of the API.
        "stamps": [load.fetched_at for load in loads],
        "since": min((load.started_at for load in loads), default=None),
        # A second load that joins an interrupted one begins at the start for both.
        "after": min((load.pages_siret or "" for load in loads), default=""),
    }
