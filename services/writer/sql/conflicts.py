"""Transactions that are repeated where others were in their way."""

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from shared.db.outages import is_in_the_way

ResultT = TypeVar("ResultT")

_PATIENT_ATTEMPTS = 20
# Work that meets the limit of a statement would meet it again and again, for hours.
_PATIENCE_SECONDS = 200.0


def retry_conflicts(
    engine: Engine, work: Callable[[Connection], ResultT], *, attempts: int
) -> ResultT:
    """Do the work in a transaction; repeat it while others are in its way.

    Raises the error of the last attempt, and every other error.
    """
    attempt, end_seconds = 1, time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            late = attempt == attempts or time.monotonic() > end_seconds
            if late or not is_in_the_way(error):
                raise
            attempt += 1


# The register is in use: other transactions may be in the way.
retry_in_use = partial(retry_conflicts, attempts=_PATIENT_ATTEMPTS)
