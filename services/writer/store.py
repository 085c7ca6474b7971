"""The transaction of a slice: receipt, rows, pages, due avis, failed items, counters.

A slice whose shard is another database has two transactions: the rows with a receipt of their own
in the shard, and around it the counters. A process that is killed between the two commits leaves
the counters undone. The next delivery of the slice then finds the rows and repeats the counters.
"""

import datetime as dt
import enum
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypedDict

import psycopg2
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from services.writer.erasure.honour import withdraw_unread
from services.writer.slices import receipts, shard_receipts
from services.writer.slices.compare import find_stale, renew_stamps
from services.writer.slices.decode import Fault, MappedRow, ReadSlice, map_rows, read_slice
from services.writer.slices.drift import Drift
from services.writer.slices.refresh import let_yield
from services.writer.slices.rows import WriteRules, Written, write_rows
from services.writer.slices.shard_receipts import ShardedClose
from services.writer.slices.statements import CREATE_NEW, EMPTY_NEW, PROBE_KEYS
from shared.days import day_in_france
from shared.db.outages import blames_row, is_in_the_way
from shared.logs import sqlstate
from shared.messages import ContractError, WriteSlice
from shared.sharding import route
from shared.sirene.identifiers import siren_of
from shared.sirene.mapping.unknown_codes import NO_CODES, Codes

# The same transaction can succeed when it is repeated at once; a wait that took this long is told.
_ATTEMPTS = 5
_PATIENCE_SECONDS = 20.0
_PREPARED = "sirenade_writer_tables"


class _Unknown(TypedDict):
    unknown_keys: frozenset[str]
    unknown_codes: Codes


class SliceStatus(enum.Enum):
    WRITTEN = "written"
    ALREADY_WRITTEN = "already_written"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class SliceResult:
    """The outcomes of the slice's records; they add up to `records` where it was written."""

    status: SliceStatus
    records: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    unknown_keys: frozenset[str] = frozenset()
    unknown_codes: Codes = NO_CODES
    batch_completed: bool = False


def write_slice(
    engine: Engine,
    message: WriteSlice,
    *,
    sole_traders: bool,
    shards: Sequence[Engine] = (),
    drift: Drift | None = None,
) -> SliceResult:
    """Write a slice once, however often it is delivered; a slice of an older GET writes nothing.

    `shards` are the databases of the register, in order; without them the register is in `engine`.
    `drift` knows what this process has noted.
    Raises ContractError for a slice that is no JSON or has records of another shard, and
    SQLAlchemy's or psycopg2's error where a database is at fault: the slice is then to be
    delivered again.
    """
    read = read_slice(message)
    _require_shard(message, read, max(len(shards), 1))
    home = shards[message.shard] if shards else engine
    alone = all(shard is engine for shard in shards)
    close = receipts.close_batch if alone else ShardedClose(engine, shards)
    fetched_at = dt.datetime.fromisoformat(message.fetched_at)
    work = _Work(message, read, fetched_at, close, sole_traders, drift or Drift())
    attempt, end_seconds = 1, time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return _write(engine, work) if home is engine else _write_apart(engine, home, work)
        except receipts.Superseded:
            return SliceResult(SliceStatus.SUPERSEDED)
        except (DBAPIError, psycopg2.Error) as error:
            if blames_row(error) and not work.carefully:
                work = replace(work, carefully=True)
                continue
            late = attempt == _ATTEMPTS or time.monotonic() > end_seconds
            if late or not is_in_the_way(error):
                raise
            attempt += 1


@dataclass(frozen=True, slots=True)
class _Work:
    """A slice to write.

    `carefully`: with savepoints, so that a bad row alone is refused; few slices have one.
    """

    message: WriteSlice
    read: ReadSlice
    fetched_at: dt.datetime
    close: receipts.Close
    sole_traders: bool
    drift: Drift
    carefully: bool = False


def _require_shard(message: WriteSlice, read: ReadSlice, shards: int) -> None:
    """Refuse a slice that a fetcher with other settings has cut: no unit may be in two shards."""
    if message.shard >= shards or (
        shards > 1 and any(route(siren_of(siret), shards) != message.shard for siret in read.sirets)
    ):
        raise ContractError(f"WriteSlice.shard {message.shard} is not that of its records")


def _prepare(connection: Connection) -> None:
    """Make the temporary tables, once for each connection."""
    if _PREPARED not in connection.info:
        with connection.begin():
            connection.execute(CREATE_NEW)
            connection.execute(PROBE_KEYS)
        connection.info[_PREPARED] = True


def _write(engine: Engine, work: _Work) -> SliceResult:
    message, read = work.message, work.read
    with engine.connect() as connection:
        _prepare(connection)
        with connection.begin():
            if not receipts.receive(connection, message, records=read.records, sirets=read.sirets):
                return _skip(connection, work)
            result = _write_records(connection, work)
            _note(connection, work, result)
            page_done = _count(connection, message, result)
            return _close(connection, work, result) if page_done else result


def _write_apart(control: Engine, shard: Engine, work: _Work) -> SliceResult:
    """Write to two databases.

    Locks are taken in the shard first, then on INSEE page and batch, so that no two slices wait for
    each other.
    """
    message, read = work.message, work.read
    with control.begin() as counters:
        # The shard's receipt has the sirets.
        if not receipts.receive(counters, message, records=read.records, sirets=()):
            return _skip(counters, work)
        with shard.connect() as register:
            _prepare(register)
            with register.begin():
                if shard_receipts.leave(register, message, read.records, read.sirets):
                    result = _write_records(register, work)
                    shard_receipts.note(register, message, _outcomes(result))
                else:
                    # The writer of an earlier delivery was killed before it could count.
                    outcomes = shard_receipts.recall(register, message)
                    result = _recalled(work, outcomes)
                _note(counters, work, result)
                # Superseded, raised here, undoes both transactions.
                page_done = _count(counters, message, result)
        return _close(counters, work, result) if page_done else result


def _skip(connection: Connection, work: _Work) -> SliceResult:
    is_dropped = receipts.drop(connection, work.message, records=work.read.records)
    return SliceResult(SliceStatus.CANCELLED if is_dropped else SliceStatus.ALREADY_WRITTEN)


def _close(connection: Connection, work: _Work, result: SliceResult) -> SliceResult:
    completed = receipts.close_if_whole(connection, work.message.batch_id, work.close)
    return replace(result, batch_completed=completed)


def _write_records(connection: Connection, work: _Work) -> SliceResult:
    message, read = work.message, work.read
    stale = find_stale(connection, read.sent, work.fetched_at)
    if message.refresh:
        stale = replace(stale, sent=list(read.sent), only_stamps=False)
    if stale.only_stamps:
        renew_stamps(connection, stale.sent, work.fetched_at)
    # The state is that of the day of the GET, whenever the slice comes; later days are `turns`.
    on = day_in_france(work.fetched_at)
    rows, unreadable = map_rows(() if stale.only_stamps else stale.sent, on=on)
    written, refused = _write_rows(connection, work, rows, new=stale.new)
    faults = [*read.faults, *unreadable, *refused]
    if faults:
        receipts.keep_faults(connection, message, faults)
        masked = [fault.withdrawn for fault in faults if fault.withdrawn is not None]
        withdraw_unread(connection, masked, fetched_at=work.fetched_at)
    if stale.has_failed:
        bad = {fault.key for fault in faults}
        receipts.resolve_faults(connection, [siret for siret in read.sirets if siret not in bad])
    return SliceResult(
        SliceStatus.WRITTEN,
        records=read.records,
        inserted=written.inserted,
        updated=written.updated,
        unchanged=read.records - written.inserted - written.updated - len(faults),
        failed=len(faults),
        **_unknown(rows),
    )


def _recalled(work: _Work, outcomes: Mapping[str, Any]) -> SliceResult:
    """Return the result of an earlier delivery, whose unknown keys and codes were not noted."""
    rows, _ = map_rows(work.read.sent)
    return SliceResult(SliceStatus.WRITTEN, records=work.read.records, **outcomes, **_unknown(rows))


def _unknown(rows: Sequence[MappedRow]) -> _Unknown:
    return {
        "unknown_keys": frozenset().union(*(row.mapped.unknown_keys for row in rows)),
        "unknown_codes": frozenset().union(*(row.mapped.unknown_codes for row in rows)),
    }


def _note(connection: Connection, work: _Work, result: SliceResult) -> None:
    work.drift.note(
        connection,
        keys=result.unknown_keys,
        codes=result.unknown_codes,
        batch_id=work.message.batch_id,
    )


def _outcomes(result: SliceResult) -> dict[str, int]:
    return {name: getattr(result, name) for name in receipts.OUTCOMES}


def _count(connection: Connection, message: WriteSlice, result: SliceResult) -> bool:
    return receipts.count(connection, message, result.records, _outcomes(result))


def _write_versions(
    connection: Connection, work: _Work, rows: Sequence[MappedRow], *, new: Collection[str]
) -> Written:
    if work.message.refresh:
        let_yield(connection, rows, work.fetched_at)
    rules = WriteRules(work.fetched_at, work.sole_traders, refresh=work.message.refresh)
    return write_rows(connection, rows, rules, new=new)


def _write_rows(
    connection: Connection, work: _Work, rows: Sequence[MappedRow], *, new: Collection[str] = ()
) -> tuple[Written, list[Fault]]:
    """Write the rows; leave out only those that the database refuses."""
    if not rows:
        return Written(), []
    write = partial(_write_versions, connection, work, rows, new=new)
    if not work.carefully:
        return write(), []
    try:
        with connection.begin_nested():
            return write(), []
    except (DBAPIError, psycopg2.Error) as error:
        # Any other error blames the moment, and the slice comes again.
        if not blames_row(error):
            raise
        # The server's message quotes the row; its SQLSTATE does not.
        code = f"sqlstate_{sqlstate(error)}"
    if new:
        # Either a row is bad, or another writer has stored it meanwhile. Compared with what is
        # stored, only a bad row is refused again.
        return _write_rows(connection, work, rows)
    if len(rows) == 1:
        return Written(), [rows[0].sent.fault(code, "PostgreSQL refused the row")]
    middle = len(rows) // 2
    # Records of one establishment stay together, else the second would count as an update.
    while middle < len(rows) - 1 and rows[middle].siret == rows[middle - 1].siret:
        middle += 1
    first, first_faults = _write_rows(connection, work, rows[:middle])
    connection.execute(EMPTY_NEW)
    second, second_faults = _write_rows(connection, work, rows[middle:])
    return first + second, first_faults + second_faults
