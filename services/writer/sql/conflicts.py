"""Transactions that are repeated after a conflict with another one."""

from collections.abc import Callable, Collection
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from shared.db.outages import sqlstate

ResultT = TypeVar("ResultT")

SERIALISATION_FAILURE = "40001"
DEADLOCK = "40P01"
LOCK_TIMEOUT = "55P03"
CONFLICTS = (SERIALISATION_FAILURE, DEADLOCK, LOCK_TIMEOUT)
_PATIENT_ATTEMPTS = 20


def retry_conflicts(
    engine: Engine,
    work: Callable[[Connection], ResultT],
    *,
    conflicts: Collection[str],
    attempts: int,
) -> ResultT:
    """Do the work in a transaction; repeat it after an error with one of the SQLSTATEs.

    Raises the error of the last attempt, and every other error.
    """
    attempt = 1
    while True:
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            if sqlstate(error) not in conflicts or attempt == attempts:
                raise
            attempt += 1


# The register is in use: other transactions may be in the way.
retry_in_use = partial(retry_conflicts, conflicts=CONFLICTS, attempts=_PATIENT_ATTEMPTS)
