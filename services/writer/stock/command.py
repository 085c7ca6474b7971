"""The work of `./sirenade stock`: look at all files, load one after the other, renew the pages."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlalchemy import Engine

from services.writer.stock import loader, log, pages
from services.writer.stock.columns import COLLECTIONS
from services.writer.stock.comparison import StockComparison
from services.writer.stock.files.stock_files import StockFile, open_stock
from services.writer.stock.loader import Loader, StockOptions
from services.writer.stock.log import StockLoad
from services.writer.stock.view import View
from services.writer.turns.turns import turn_next
from shared.clock import utc_now
from shared.days import day_in_france
from shared.db.engine import make_engine
from shared.db.leases.keeper import fence, kept
from shared.db.leases.rows import Lease, LeaseLost, LeaseName
from shared.db.revision import require_current
from shared.errors import UserError
from shared.http.egress import Egress
from shared.runtime.memory import bounded_memory, return_freed_memory

_NAMED_REFUSED = 20
# A load of five million rows takes 367 MiB.
_MEMORY_BYTES = 2 << 30
# Blocks of a file and columns of a chunk are smaller: a fifth of the load was the kernel's work on
# their pages.
_LARGE_BLOCKS = 4 << 20
# One for each renewer, of which there are more than copiers, one for the loader, one for the lease.
_CONNECTIONS = pages.RENEWERS + 2
# Another load may begin after this time where this one is frozen, or was killed.
_LEASE_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Planned:
    """The header of a file, and the number of rows where the file tells it."""

    file: str
    collection: str
    columns: int
    unknown_columns: Sequence[str]
    absent_columns: Sequence[str]
    rows: int | None
    bytes: int | None


@contextlib.contextmanager
def open_files(places: Sequence[str], egress: Egress) -> Iterator[list[StockFile]]:
    """Open every file, units first; raise UserError where one is not a stock file to load."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(bounded_memory(_MEMORY_BYTES))
        files: list[StockFile] = []
        for place in places:
            file = open_stock(place, egress)
            stack.callback(file.source.stream.close)
            for other in files:
                if other.layout.collection == file.layout.collection:
                    raise UserError(f"{other.name} and {file.name} are the same kind of file")
            files.append(file)
        yield sorted(files, key=lambda file: COLLECTIONS.index(file.layout.collection))


def plan(places: Sequence[str], egress: Egress) -> list[Planned]:
    """Look at the headers of the files; raise UserError like `load`."""
    with open_files(places, egress) as files:
        return [
            Planned(
                file.name,
                file.layout.collection,
                len(file.layout.columns),
                file.layout.unknown,
                file.layout.absent_names,
                file.rows,
                file.source.size,
            )
            for file in files
        ]


def load(database_url: str, places: Sequence[str], options: StockOptions) -> list[StockLoad]:
    """Load the files and renew their establishments' pages; return the rows of the log."""
    _keep_blocks()
    opened = open_files(places, options.egress)
    with _exclusive(database_url) as (engine, lease), opened as files, View() as view:
        for file in files:
            _warn(file, view)
        loader.put_comparisons_aside(engine, view)
        loads = [Loader(engine, view, options).load(file) for file in files]
        for load in loads:
            _name_refused(engine, load, view)
        if options.pages:
            _renew_pages(engine, lease, view, sole_traders=options.sole_traders)
        with engine.begin() as connection:
            return [log.read(connection, load.id) for load in loads]


def compare(
    database_url: str, places: Sequence[str], options: StockOptions
) -> list[StockComparison]:
    """Compare the files with the register; raise UserError like `load`."""
    _keep_blocks()
    opened = open_files(places, options.egress)
    with _exclusive(database_url) as (engine, _), opened as files, View() as view:
        for file in files:
            _warn(file, view)
        compared = [file.layout.collection for file in files]
        loader.put_comparisons_aside(engine, view, but=compared)
        return [Loader(engine, view, options).compare(file) for file in files]


def discard(database_url: str) -> list[str]:
    """Drop the staging tables of interrupted loads; return their collections."""
    with _exclusive(database_url) as (engine, _):
        return [collection for collection in COLLECTIONS if loader.discard(engine, collection)]


def _keep_blocks() -> None:
    """Use the memory of freed blocks and columns again; Arrow's own allocator gives it back."""
    return_freed_memory(large=_LARGE_BLOCKS)
    pa.set_memory_pool(pa.system_memory_pool())


@contextlib.contextmanager
def _exclusive(database_url: str) -> Iterator[tuple[Engine, Lease]]:
    """Yield an engine whose transactions count only while no other process loads."""
    engine = make_engine(
        database_url,
        application_name="sirenade-stock",
        pool_size=_CONNECTIONS,
        # An index of the whole register takes minutes.
        statement_timeout_seconds=0,
    )
    try:
        with engine.connect() as connection:
            require_current(connection)
        with kept(engine, LeaseName.STOCK, seconds=_LEASE_SECONDS) as lease:
            if lease is None:
                raise UserError("another stock load is running on this database")
            fence(engine, lease)
            yield engine, lease
    except LeaseLost:
        raise UserError(
            "this stock load stood still, and another one took its place: the same command goes on"
        ) from None
    finally:
        engine.dispose()


def _warn(file: StockFile, view: View) -> None:
    if file.layout.unknown:
        view.say(f"{file.name}: unknown columns, not loaded: {', '.join(file.layout.unknown)}")
    if file.layout.absent:
        names = ", ".join(file.layout.absent_names)
        view.say(f"{file.name}: absent columns, left empty: {names}")


def _name_refused(engine: Engine, load: StockLoad, view: View) -> None:
    with engine.begin() as connection:
        refused = log.find_refused(connection, load, most=_NAMED_REFUSED)
    for row in refused:
        view.say(f"{load.file_name}: refused: {row.in_words()}")
    if load.refused > len(refused):
        view.say(f"{load.file_name}: refused: {load.refused - len(refused)} more rows")


def _renew_pages(engine: Engine, lease: Lease, view: View, *, sole_traders: bool) -> None:
    """Renew the pages, also those of earlier loads `--without-pages`."""
    today = day_in_france(utc_now())
    view.begin("periods that have begun")
    turned = 0
    while some := turn_next(engine, on=today, sole_traders=sole_traders):
        turned += some
        view.advance(turned, None)
    view.begin("pages and due avis")
    with engine.begin() as connection:
        due = log.find_stored(connection)
    if due:
        pages.renew_all(engine, due, view, lease, sole_traders=sole_traders)
    with engine.begin() as connection:
        for load in due:
            log.set_status(connection, load, "complete")
