"""Figures of imports for people: batches by keys, the latest certificate, the last cost."""

import datetime as dt
import math
from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.imports.progress import MAX_ROWS_PER_REQUEST

_BATCHES = text("""
    SELECT id, number, status, coalesce(departement, code_commune, collection) AS place,
      activite_principale, expected, received, inserted, updated, unchanged, failed,
      coalesce(cardinality(missing_sirets), 0) AS missing,
      coalesce(cardinality(surplus_sirets), 0) AS surplus, completed_at
    FROM import_batches WHERE run_id = :run_id AND id > coalesce(CAST(:after AS bigint), 0)
    ORDER BY id LIMIT :limit
""")
_CERTIFICATE = text("""
    SELECT id, status, missing, surplus, altered, started_at, repair_run_id
    FROM certificates ORDER BY id DESC LIMIT 1
""")
# The latest run of the place whose total INSEE has told.
_ROWS_OF_DEPARTEMENT = text("""
    SELECT sum(b.expected)::bigint FROM import_batches b
    WHERE b.run_id = (
      SELECT max(id) FROM import_runs
      WHERE kind = 'scope' AND status = 'complete' AND departements = ARRAY[:departement]
        AND communes = '{}' AND activites = '{}' AND sirets = '{}' AND row_limit IS NULL)
""")
_ROWS_OF_DELTA = text("""
    SELECT sum(b.expected)::bigint FROM import_batches b
    WHERE b.run_id = (
      SELECT max(id) FROM import_runs WHERE kind = 'delta' AND status = 'complete')
""")
_PER_MINUTE = text("""
    SELECT requests_per_minute * adaptation FROM quota ORDER BY updated_at DESC LIMIT 1
""")


class BatchRow(NamedTuple):
    id: int
    number: int
    status: str
    place: str | None
    activite_principale: str | None
    expected: int | None
    received: int
    inserted: int
    updated: int
    unchanged: int
    failed: int
    missing: int
    surplus: int
    completed_at: dt.datetime | None


class LatestCertificate(NamedTuple):
    id: int
    status: str
    missing: int | None
    surplus: int | None
    altered: int | None
    started_at: dt.datetime
    repair_run_id: int | None

    @property
    def gap(self) -> int:
        return (self.missing or 0) + (self.surplus or 0) + (self.altered or 0)


class RunCost(NamedTuple):
    """The rows of the last run alike, None where there was none; `per_minute` is the quota."""

    rows: int | None
    per_minute: float | None

    @property
    def requests(self) -> int:
        return math.ceil((self.rows or 0) / MAX_ROWS_PER_REQUEST)


def read_batches(
    control: Connection, run_id: int, *, after: int | None, limit: int
) -> list[BatchRow]:
    asked = {"run_id": run_id, "after": after, "limit": limit}
    return [BatchRow(*row) for row in control.execute(_BATCHES, asked)]


def read_certificate(control: Connection) -> LatestCertificate | None:
    row = control.execute(_CERTIFICATE).one_or_none()
    return None if row is None else LatestCertificate(*row)


def read_cost(control: Connection, departement: str | None) -> RunCost:
    """Return the cost of the last import of a département; of the last delta for None."""
    query = _ROWS_OF_DELTA if departement is None else _ROWS_OF_DEPARTEMENT
    asked = {} if departement is None else {"departement": departement}
    return RunCost(control.execute(query, asked).scalar(), requests_per_minute(control))


def requests_per_minute(control: Connection) -> float | None:
    found = control.execute(_PER_MINUTE).scalar()
    return None if found is None else float(found)
