"""One slice, one transaction: receipt, rows, pages, due avis, failed items, counters."""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg2
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from services.writer import batches
from services.writer.honouring import withdraw_unread
from services.writer.reading import Fault, ReadSlice, Row, read_slice
from services.writer.register import Written, write_records
from services.writer.statements import CREATE_NEW, EMPTY_NEW
from shared.messages import WriteSlice

_CONFLICTS = frozenset({"40001", "40P01"})
"""Serialisation failure and deadlock: the same transaction can succeed at once."""
_ATTEMPTS = 5
_DATA_ERRORS = ("22", "23")
"""Classes of SQLSTATE that blame a row; any other blames the moment, and the slice is retried."""


class SliceStatus(enum.Enum):
    WRITTEN = "written"
    ALREADY_WRITTEN = "already_written"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class SliceResult:
    """What became of the slice's records; they add up to `records` where it was written."""

    status: SliceStatus
    records: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    unknown_keys: frozenset[str] = frozenset()
    batch_completed: bool = False


def write_slice(engine: Engine, message: WriteSlice, *, sole_traders: bool) -> SliceResult:
    """Write a slice once, however often it is delivered; one of an older GET writes nothing.

    Raises ContractError for a slice that is no JSON, SQLAlchemy's or psycopg2's error where the
    database is at fault and nothing was written.
    """
    read = read_slice(message)
    attempt = 1
    while True:
        try:
            with engine.begin() as connection:
                return _write(connection, message, read, sole_traders=sole_traders)
        except batches.Superseded:
            return SliceResult(SliceStatus.SUPERSEDED)
        except (DBAPIError, psycopg2.Error) as error:
            if _sqlstate(error) not in _CONFLICTS or attempt == _ATTEMPTS:
                raise
            attempt += 1


def _write(
    connection: Connection, message: WriteSlice, read: ReadSlice, *, sole_traders: bool
) -> SliceResult:
    if not batches.receive(connection, message, records=read.records, sirets=read.sirets):
        return SliceResult(SliceStatus.ALREADY_WRITTEN)
    connection.execute(CREATE_NEW)
    writing = _Writing(connection, dt.datetime.fromisoformat(message.fetched_at), sole_traders)
    # In the order of their keys, so that a slice in halves still takes its locks in order.
    written, refused = writing.write(sorted(read.rows, key=lambda row: row.siret))
    faults = [*read.faults, *refused]
    batches.keep_faults(connection, message, faults)
    masked = [fault.withdrawn for fault in faults if fault.withdrawn is not None]
    withdraw_unread(connection, masked, fetched_at=writing.fetched_at)
    bad = {fault.key for fault in faults}
    batches.resolve_faults(connection, [siret for siret in read.sirets if siret not in bad])
    result = SliceResult(
        SliceStatus.WRITTEN,
        records=read.records,
        inserted=written.inserted,
        updated=written.updated,
        unchanged=read.records - written.inserted - written.updated - len(faults),
        failed=len(faults),
        unknown_keys=read.unknown_keys,
    )
    batches.count(
        connection,
        message,
        records=result.records,
        inserted=result.inserted,
        updated=result.updated,
        unchanged=result.unchanged,
        failed=result.failed,
    )
    completed = batches.close_if_whole(connection, message.batch_id)
    return replace(result, batch_completed=completed)


@dataclass(frozen=True, slots=True)
class _Writing:
    """Rows of one slice; where the database refuses some, only those are left out."""

    connection: Connection
    fetched_at: dt.datetime
    sole_traders: bool

    def write(self, rows: Sequence[Row]) -> tuple[Written, list[Fault]]:
        try:
            with self.connection.begin_nested():
                return self._write_all(rows), []
        except (DBAPIError, psycopg2.Error) as error:
            sqlstate = _sqlstate(error)
            if not rows or not sqlstate.startswith(_DATA_ERRORS):
                raise
        if len(rows) == 1:
            # The server's message quotes the row; its SQLSTATE does not.
            code = f"sqlstate_{sqlstate}"
            return Written(), [rows[0].fault(code, "PostgreSQL refused the row")]
        return self._write_halves(rows)

    def _write_halves(self, rows: Sequence[Row]) -> tuple[Written, list[Fault]]:
        middle = len(rows) // 2
        # Records of one establishment stay together: apart, the second half would be an update.
        while middle < len(rows) - 1 and rows[middle].siret == rows[middle - 1].siret:
            middle += 1
        first, first_faults = self.write(rows[:middle])
        self.connection.execute(EMPTY_NEW)
        second, second_faults = self.write(rows[middle:])
        return first + second, first_faults + second_faults

    def _write_all(self, rows: Sequence[Row]) -> Written:
        return write_records(
            self.connection,
            [row.mapped for row in rows],
            fetched_at=self.fetched_at,
            sole_traders=self.sole_traders,
        )


def _sqlstate(error: DBAPIError | psycopg2.Error) -> str:
    """The error's SQLSTATE, empty where the connection was lost before there was one."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "pgcode", None) or ""
