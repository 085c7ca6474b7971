"""The way of staged rows into the register: judged, then swapped in or merged."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy import Connection, Engine

from services.writer.sql.conflicts import retry_in_use
from services.writer.stock import log, merge, staging
from services.writer.stock.log import StockLoad
from services.writer.stock.merge import MergeRules
from services.writer.stock.statements import count_vanished
from services.writer.stock.view import View
from services.writer.trades import add_staged, count_staged
from services.writer.turns.turns import make_due
from shared.db.tables.stock import stock_loads
from shared.errors import UserError
from shared.imports.watermarks import read_watermarks, set_watermark

MIN_SHARE_OF_PREVIOUS = 0.98
# A few bad rows are refused alone; many are the fault of the file.
_MOST_REFUSED = 100
_MOST_REFUSED_SHARE = 0.02
_MERGED_BLOCKS = 2000
_BUILDERS = 2

_Task = Callable[[Engine, StockLoad], object]


def judge(engine: Engine, load: StockLoad, *, force: bool) -> None:
    """Drop the staged rows and raise UserError where the file has far fewer rows than before.

    A file of which many rows were refused is in doubt as a whole: it is dropped, too.
    """
    with engine.begin() as connection:
        present = staging.count_rows(connection, load.collection)
        latest = log.find_latest(connection, load.collection)
    previous = present or (latest.rows if latest is not None else 0)
    bad = load.refused > max(_MOST_REFUSED, _MOST_REFUSED_SHARE * load.rows)
    too_few = load.rows < MIN_SHARE_OF_PREVIOUS * previous
    if load.rows and not (too_few or bad):
        return
    if load.rows and force:
        with engine.begin() as connection:
            log.note(connection, load, forced=True)
        return
    with engine.begin() as connection:
        first = log.find_refused(connection, load, most=1)
        staging.give_up(connection, load, "refused")
    why = f": {first[0].in_words()}" if first else ""
    if not load.rows:
        raise UserError(f"{load.file_name} has no row that can be read{why}: nothing was changed")
    if bad:
        raise UserError(
            f"{load.file_name} has {load.refused} rows that cannot be read{why}:"
            " nothing was changed; --force loads the others"
        )
    raise UserError(
        f"{load.file_name} has {load.rows} rows, less than {MIN_SHARE_OF_PREVIOUS:.0%} of the"
        f" {previous} there were: nothing was changed; --force loads it all the same"
    )


def store(engine: Engine, load: StockLoad, view: View, rules: MergeRules) -> StockLoad:
    """Bring the staged rows into the register; after a kill it goes on where it was."""
    if load.way == "swap":
        _prepare(engine, load, view)
        with engine.begin() as connection:
            staging.analyze(connection, load.staging)
        view.begin(f"{load.collection}: swapping the table in")
        if retry_in_use(engine, partial(_swap, load=load)):
            with engine.begin() as connection:
                return log.read(connection, load.id)
        view.say(f"{load.collection}: no longer empty, merging instead")
    else:
        _count_head_offices(engine, load)
    _merge(engine, load, view, rules)
    with engine.begin() as connection:
        return log.read(connection, load.id)


def _count_head_offices(engine: Engine, load: StockLoad) -> None:
    if load.collection == "etablissements" and load.head_offices is None:
        with engine.begin() as connection:
            log.note(connection, load, head_offices=staging.count_head_offices(connection, load))


def _count_trades(engine: Engine, load: StockLoad) -> None:
    with engine.begin() as connection:
        count_staged(connection, load.staging)


def _prepare(engine: Engine, load: StockLoad, view: View) -> None:
    """Build the primary key first, which may find duplicates; then two things at a time."""
    with engine.begin() as connection:
        indexes = staging.missing_indexes(connection, load)
    view.begin(f"{load.collection}: building {len(indexes)} indexes")
    for index in indexes:
        if index.is_primary and (dropped := staging.build_index(engine, load, index)):
            view.say(f"{load.file_name}: {dropped} rows had a key twice, the newest stay")
    rest = [index for index in indexes if not index.is_primary]
    tasks: list[_Task] = [partial(staging.build_index, index=index) for index in rest]
    if load.collection == "etablissements":
        tasks = [_count_trades, *tasks, _count_head_offices]
    with ThreadPoolExecutor(_BUILDERS, thread_name_prefix="index") as builders:
        for done in [builders.submit(task, engine, load) for task in tasks]:
            done.result()


def _swap(connection: Connection, load: StockLoad) -> bool:
    swapped = staging.swap(connection, load)
    if swapped:
        if load.collection == "etablissements":
            make_due(connection, on=load.on)
            add_staged(connection)
        # All rows are new: the table was empty.
        log.note(connection, load, inserted=stock_loads.c.rows, vanished=0)
        _finish(connection, load)
    return swapped


def _merge(engine: Engine, load: StockLoad, view: View, rules: MergeRules) -> None:
    view.begin(f"{load.collection}: merging newer rows")
    with engine.begin() as connection:
        blocks = staging.count_blocks(connection, load)
    rows = load.inserted + load.updated
    for first in range(load.merged_blocks, blocks, _MERGED_BLOCKS):
        last = min(first + _MERGED_BLOCKS, blocks)
        merge_some = partial(merge.merge_blocks, load=load, rules=rules, first=first, last=last)
        merged = retry_in_use(engine, merge_some)
        rows += merged.inserted + merged.updated
        view.advance(rows, last / blocks)
    view.begin(f"{load.collection}: counting what the file no longer has")
    with engine.begin() as connection:
        vanished = connection.scalar(count_vanished(load.collection))
        log.note(connection, load, vanished=vanished)
        staging.drop(connection, load)
        _finish(connection, load)


def _finish(connection: Connection, load: StockLoad) -> None:
    """Note that the rows are stored, which were refused, and how far the collection is complete."""
    log.keep_refused(connection, load)
    log.set_status(connection, load, "stored")
    if load.treated_until is None:
        return
    # An older release staged later dates, too.
    until = min(load.treated_until, load.latest_treatment)
    reached = read_watermarks(connection).get(load.collection)
    if reached is None or reached.treated_until < until:
        set_watermark(connection, load.collection, until)
