"""The pro_localisations and due avis of the establishments that a load brought or changed."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Engine, text

from services.writer.stock.log import StockLoad
from services.writer.stock.renewers.group import renew_group
from services.writer.stock.renewers.processes import Renew, start_renewers
from services.writer.stock.staging import analyze
from services.writer.stock.view import View
from shared.db.leases.rows import Lease
from shared.sirene.identifiers import siren_of

# Each establishment of a withdrawn unit takes a lock of its siren: the server has room for a few
# thousand of them.
_PAGE_ROWS = 1000
_FOUND_GROUPS = 20
RENEWERS = 3
# Below it, the start of processes takes longer than they save.
_FEW = 20_000
# A killed command renews at most these groups again.
_WAITING_GROUPS = 2 * RENEWERS

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


@dataclass(frozen=True, slots=True)
class _Waiting:
    sirets: Sequence[str]
    renewed: Future[None]


def renew_all(
    engine: Engine,
    loads: Sequence[StockLoad],
    view: View,
    lease: Lease | None = None,
    *,
    sole_traders: bool,
) -> None:
    """Renew the pages of all establishments of the loads; after a kill it goes on where it was.

    Some connections renew, so that one is at work while the server is busy with the others. Rows
    that the API brought meanwhile have their pages already, and are skipped.
    """
    with engine.begin() as connection:
        total = count_touched(connection, loads)
    if total < _FEW:
        _renew_groups(
            engine, loads, view, total, partial(renew_group, engine, sole_traders=sole_traders)
        )
        return
    with start_renewers(engine, RENEWERS, lease, sole_traders=sole_traders) as renew:
        _renew_groups(engine, loads, view, total, renew)


def _renew_groups(
    engine: Engine, loads: Sequence[StockLoad], view: View, total: int, renew: Renew
) -> None:
    waiting: deque[_Waiting] = deque()
    done = 0
    with ThreadPoolExecutor(RENEWERS, thread_name_prefix="pages") as renewers:
        try:
            for number, sirets in enumerate(_groups(engine, loads)):
                if number == _FOUND_GROUPS:
                    _analyze(engine)
                waiting.append(_Waiting(sirets, renewers.submit(renew, sirets)))
                if len(waiting) > _WAITING_GROUPS:
                    done += _finish_first(engine, loads, waiting)
                    view.advance(done, min(done / total, 1.0) if total else None)
            while waiting:
                done += _finish_first(engine, loads, waiting)
                view.advance(done, min(done / total, 1.0) if total else None)
        finally:
            for each in waiting:
                each.renewed.cancel()


def _analyze(engine: Engine) -> None:
    """Analyze what was empty before the first groups.

    Without it the planner thinks that a siren has a two-hundredth of all pages.
    """
    with engine.begin() as connection:
        for table in ("pro_localisations", "avis"):
            analyze(connection, table)


def _groups(engine: Engine, loads: Sequence[StockLoad]) -> Iterator[Sequence[str]]:
    """Yield the sirets in their order, some at a time; the server looks for many at once."""
    parameters = {**_parameters(loads), "rows": _PAGE_ROWS * _FOUND_GROUPS}
    while True:
        with engine.begin() as connection:
            sirets: list[str] = list(connection.scalars(_NEXT, parameters))
        yield from cut_between_unites(sirets, _PAGE_ROWS)
        if not sirets:
            return
        parameters["after"] = sirets[-1]


def cut_between_unites(sirets: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Cut the sorted sirets into groups: two groups with one unit would wait for one another.

    A unit with more than `most` establishments is cut all the same.
    """
    first = 0
    while first < len(sirets):
        end = min(first + most, len(sirets))
        cut = end
        while first < cut < len(sirets) and siren_of(sirets[cut]) == siren_of(sirets[cut - 1]):
            cut -= 1
        end = cut if cut > first else end
        yield sirets[first:end]
        first = end


def _finish_first(engine: Engine, loads: Sequence[StockLoad], waiting: deque[_Waiting]) -> int:
    """Wait for the first group, before which all are done; note its last siret, return its size."""
    first = waiting.popleft()
    first.renewed.result()
    with engine.begin() as connection:
        noted = {"siret": first.sirets[-1], "ids": [load.id for load in loads]}
        connection.execute(_KEEP, noted)
    return len(first.sirets)


def _parameters(loads: Sequence[StockLoad]) -> dict[str, object]:
    return {
        # Stamps and start together tell the rows of these loads from older rows and from newer rows
        # of the API.
        "stamps": [load.fetched_at for load in loads],
        "since": min((load.started_at for load in loads), default=None),
        # A second load that joins an interrupted one begins at the start for both.
        "after": min((load.pages_siret or "" for load in loads), default=""),
    }
