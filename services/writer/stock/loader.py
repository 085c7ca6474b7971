"""The load of one stock file: staged in chunks, judged, then swapped in or merged."""

import datetime as dt
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg2
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from services.writer.slices.drift import Drift
from services.writer.stock import log, staging
from services.writer.stock.columns import COLLECTIONS, StockCollection
from services.writer.stock.comparison import StockComparison, compare
from services.writer.stock.files.readers import DamagedFile
from services.writer.stock.files.stock_files import FileChunk, StockFile
from services.writer.stock.log import LoadWay, StockLoad
from services.writer.stock.merge import MergeRules
from services.writer.stock.store import judge, store
from services.writer.stock.values import clean
from services.writer.stock.view import View
from shared.clock import utc_now
from shared.days import day_in_france
from shared.errors import UserError
from shared.http.egress import Egress
from shared.logs import sqlstate
from shared.sirene.reference import known_codes

# Two copiers and their backends fill the cores; the chunks that wait are bounded.
_COPIERS = 2
_WAITING_CHUNKS = 3


@dataclass(frozen=True, slots=True)
class StockOptions:
    file_date: dt.date | None = None
    force: bool = False
    compare: bool = False
    take: bool = False
    pages: bool = True
    sole_traders: bool = False
    chunk_rows: int = 20_000
    egress: Egress = field(default_factory=Egress)


@dataclass(frozen=True, slots=True)
class Loader:
    engine: Engine
    view: View
    options: StockOptions
    drift: Drift = field(default_factory=Drift)

    def load(self, file: StockFile) -> StockLoad:
        """Bring the file's rows into the register; go on with an interrupted load of the file.

        Raises UserError where the file is damaged or refused: the register is then untouched.
        """
        load = self._begin(file)
        load = self._staged(file, load)
        if load.status == "staged":
            judge(self.engine, load, force=self.options.force)
            rules = MergeRules(file.layout.absent.keys(), self.options.sole_traders)
            load = store(self.engine, load, self.view, rules)
        return load

    def compare(self, file: StockFile) -> StockComparison:
        """Stage the file's rows, compare them with the register, and drop them."""
        load = self._staged(file, self._begin(file))
        self.view.begin(f"{load.collection}: comparing")
        found = compare(self.engine, load, file.layout, self.view)
        with self.engine.begin() as connection:
            staging.give_up(connection, load, "compared")
        return found

    def _staged(self, file: StockFile, load: StockLoad) -> StockLoad:
        if load.status != "staging":
            return load
        try:
            return self._stage(file, load)
        except DamagedFile:
            discard(self.engine, load.collection)
            raise

    def _begin(self, file: StockFile) -> StockLoad:
        collection = file.layout.collection
        with self.engine.begin() as connection:
            load = log.find_open(connection, collection)
            if load is not None:
                if self._is_load_of(load, file) and self._is_whole(load):
                    self.view.say(f"{file.name}: goes on where it was interrupted")
                    return self._taking(connection, load)
                if self.options.compare and load.way != "compare":
                    raise UserError(
                        f"a load of {load.file_name} was interrupted: give that command again,"
                        " or --discard it, before you compare"
                    )
                put_aside(connection, load, self.view)
            latest = log.find_latest(connection, collection)
            is_stored = latest and latest.status == "stored" and self._is_load_of(latest, file)
            is_taken = latest is None or latest.takes_equal or not self.options.take
            if latest and is_stored and is_taken and not staging.is_empty(connection, collection):
                return latest
            load = log.begin(
                connection,
                file,
                file_date=self._day_of(file),
                chunk_rows=self.options.chunk_rows,
                way=self._way(connection, collection),
            )
            staging.create(connection, load)
            return self._taking(connection, load)

    def _day_of(self, file: StockFile) -> dt.date:
        day = self.options.file_date or _first_of_month(file.dated)
        today = day_in_france(utc_now())
        if day > today:
            self.view.say(f"{file.name}: its day, {day}, lies ahead: it counts as of {today}")
        return min(day, today)

    def _way(self, connection: Connection, collection: StockCollection) -> LoadWay:
        if self.options.compare:
            return "compare"
        return "swap" if staging.can_be_swapped(connection, collection) else "merge"

    def _taking(self, connection: Connection, load: StockLoad) -> StockLoad:
        """Begin the merge anew where it shall take more than it did before it was interrupted."""
        if not self.options.take or load.takes_equal:
            return load
        log.note(connection, load, takes_equal=True, merged_blocks=0)
        return log.read(connection, load.id)

    def _is_load_of(self, load: StockLoad, file: StockFile) -> bool:
        its = (file.name, file.source.identity, self.options.chunk_rows, self.options.compare)
        found = (load.file_name, load.file_identity, load.chunk_rows, load.way == "compare")
        return found == its

    def _is_whole(self, load: StockLoad) -> bool:
        """Return whether the staged rows are still there.

        A crash empties a table without WAL, and a restored backup has none.
        """
        with self.engine.begin() as connection:
            return staging.exists(connection, load.staging) and (
                not staging.is_empty(connection, load.staging)
                or not log.chunk_numbers(connection, load)
            )

    def _stage(self, file: StockFile, load: StockLoad) -> StockLoad:
        self.view.say(f"{file.name} → {load.collection}, {load.way}")
        self.view.begin(f"{load.collection}: reading")
        with self.engine.begin() as connection:
            stored = log.chunk_numbers(connection, load)
        # Else each copier would read the tables for its first chunk, beside the others.
        known_codes()
        rows = 0
        waiting: deque[Future[None]] = deque()
        with ThreadPoolExecutor(_COPIERS, thread_name_prefix="copy") as copiers:
            try:
                for number, chunk in enumerate(file.chunks(load.chunk_rows)):
                    if number not in stored:
                        waiting.append(copiers.submit(self._copy_chunk, load, number, chunk, file))
                    if len(waiting) > _WAITING_CHUNKS:
                        waiting.popleft().result()
                    rows += len(chunk.rows)
                    self.view.advance(rows, _share(file, rows))
                while waiting:
                    waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
        with self.engine.begin() as connection:
            log.mark_staged(connection, load)
            return log.read(connection, load.id)

    def _copy_chunk(self, load: StockLoad, number: int, chunk: FileChunk, file: StockFile) -> None:
        cleaned = clean(chunk.rows, file.layout, load.latest_treatment)
        try:
            staging.store_chunk(
                self.engine, load, number, cleaned.without(chunk.broken), self.drift
            )
        except (psycopg2.Error, DBAPIError) as error:
            # The server's own message may quote a row.
            raise UserError(
                f"the database refuses chunk {number} of {file.name}"
                f" (SQLSTATE {sqlstate(error) or 'none: the connection was lost'}):"
                " run the command again, it goes on where it was"
            ) from None


def put_aside(connection: Connection, load: StockLoad, view: View) -> None:
    """Drop what an interrupted load left, and say so."""
    what = "comparison" if load.way == "compare" else "load"
    view.say(f"{load.file_name}: what an interrupted {what} left is dropped")
    staging.give_up(connection, load, "abandoned")


def put_comparisons_aside(
    engine: Engine, view: View, *, but: Sequence[StockCollection] = ()
) -> None:
    """Drop what interrupted comparisons left: nobody misses it."""
    for collection in COLLECTIONS:
        with engine.begin() as connection:
            load = None if collection in but else log.find_open(connection, collection)
            if load is not None and load.way == "compare":
                put_aside(connection, load, view)


def discard(engine: Engine, collection: StockCollection) -> bool:
    """Drop what an interrupted load left behind."""
    with engine.begin() as connection:
        load = log.find_open(connection, collection)
        if load is None:
            return False
        staging.give_up(connection, load, "abandoned")
        return True


def _first_of_month(dated: dt.date | None) -> dt.date:
    """Return the first day of the month: the stock is of that day, whenever the file was made."""
    return (dated or dt.datetime.now(tz=dt.UTC).date()).replace(day=1)


def _share(file: StockFile, rows: int) -> float | None:
    if file.rows:
        return rows / file.rows
    size = file.source.size
    return min(file.source.position / size, 1.0) if size else None
