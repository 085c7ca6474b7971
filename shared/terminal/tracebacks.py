"""Tracebacks and unconfigured logs on standard error, without what a database driver quotes.

A driver's text holds rows: `DETAIL: Failing row contains`, `CONTEXT: COPY …, line N: "…"`. Where
one is in the chain of an error, all of the chain is told by classes, SQLSTATE and places.
"""

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

from shared.db.outages import is_of_driver
from shared.logs import sqlstate
from shared.logs.places import frames_of


def hide_rows() -> None:
    """Let this process write no driver's text by itself, whatever thread or library fails."""
    sys.excepthook = _tell
    threading.excepthook = _tell_of_thread
    if logging.lastResort is not None:
        # A pool logs what its connections meet, in commands that configure no logs.
        logging.lastResort.setFormatter(_Formatter())


def summary(error: BaseException, trace: TracebackType | None) -> str | None:
    """Return what may be shown in place of a traceback; None where it may be shown as it is."""
    chain = _chain(error)
    if not any(map(is_of_driver, chain)):
        return None
    classes = " from ".join(f"{type(each).__name__} {sqlstate(each)}".strip() for each in chain)
    return "\n".join([classes, *(f"  {frame}" for frame in frames_of(trace))])


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain:
        chain.append(following)
        origin = getattr(following, "orig", None)
        following = following.__cause__ or following.__context__ or origin
    return chain


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if (told := summary(error, trace)) is None:
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(f"{told}\n")  # noqa: TID251  classes and places hold no control character


def _tell_of_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and not issubclass(failed.exc_type, SystemExit):
        _tell(failed.exc_type, failed.exc_value, failed.exc_traceback)


class _Formatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's name
        _, error, trace = ei
        told = None if error is None else summary(error, trace)
        return told or "".join(traceback.format_exception(error)).rstrip()
