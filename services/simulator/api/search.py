"""The rows that satisfy a query, kept so that a walk looks for them once and not for each page."""

import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from services.simulator.query.evaluation import Query, compile_query, everything
from services.simulator.query.variables import Collection
from services.simulator.register.registers import Register

_REMEMBERED_QUERIES = 16


@dataclass(frozen=True, slots=True)
class Hits:
    """Positions of the rows found, ascending, in one collection of one register."""

    register: Register
    collection: Collection
    positions: Sequence[int]

    def __len__(self) -> int:
        return len(self.positions)

    def first_after(self, identifier: str) -> int:
        """Rank among the hits of the first one whose identifier is above this one."""
        position = self.register.position_from(self.collection, identifier)
        register = self.register
        if position < register.size(self.collection) and (
            register.identifier(self.collection, position) == identifier
        ):
            return bisect_right(self.positions, position)
        return bisect_right(self.positions, position - 1)


class Search:
    def __init__(self, register: Register) -> None:
        self._register = register
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[object, ...], Hits] = OrderedDict()

    def hits(self, collection: Collection, q: str | None, date: str | None) -> Hits:
        """Raises BadRequestError where INSEE would answer 400."""
        query = compile_query(q, collection) if q else everything()
        # The lock covers the search: two pages of one walk never search for the same rows at once.
        with self._lock:
            key = (collection, q, date, self._register.version)
            hits = self._found.get(key)
            if hits is None:
                hits = Hits(
                    self._register, collection, self._look(collection, query, date, bool(q))
                )
                self._found[key] = hits
                if len(self._found) > _REMEMBERED_QUERIES:
                    self._found.popitem(last=False)
            self._found.move_to_end(key)
            return hits

    def _look(
        self, collection: Collection, query: Query, date: str | None, asked: bool
    ) -> Sequence[int]:
        register = self._register
        start = register.position_from(collection, query.low)
        # `high` may be a prefix: everything that begins with it is still inside.
        stop = register.position_from(collection, query.high + "~")
        if not asked and date is None:
            return range(start, stop)
        found = array("I")
        for position in range(start, stop):
            row = register.row(collection, position, date)
            if query.matches(row) and (date is None or row.periodes()):
                found.append(position)
        return found
