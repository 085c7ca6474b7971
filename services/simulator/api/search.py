"""The rows that satisfy a query, kept so that a walk looks for them once and not for each page."""

import threading
from array import array
from collections.abc import Sequence
from functools import lru_cache

from services.simulator.query.evaluation import Query, compile_query
from services.simulator.query.variables import Collection
from services.simulator.register.registers import Register

_REMEMBERED_QUERIES = 16


class RecordSearch:
    def __init__(self, register: Register) -> None:
        self._register = register
        self._lock = threading.Lock()
        self._found = lru_cache(maxsize=_REMEMBERED_QUERIES)(self._look)

    def hits(self, collection: Collection, q: str | None, date: str | None) -> Sequence[int]:
        """Return the positions of the rows found, ascending.

        Raises BadRequestError where INSEE would answer 400.
        """
        # The lock covers the search: two pages of one walk never search for the same rows at once.
        with self._lock:
            return self._found(collection, q, date, self._register.version)

    def _look(
        self, collection: Collection, q: str | None, date: str | None, _version: int
    ) -> Sequence[int]:
        register = self._register
        query = compile_query(q, collection) if q else Query(lambda _row: True)
        start = register.position_from(collection, query.low)
        # `high` may be a prefix: everything that begins with it is still inside.
        stop = register.position_from(collection, query.high + "~")
        if not q and date is None:
            return range(start, stop)
        found = array("I")
        for position in range(start, stop):
            row = register.row(collection, position, date)
            if query.matches(row) and (date is None or row.periodes()):
                found.append(position)
        return found
