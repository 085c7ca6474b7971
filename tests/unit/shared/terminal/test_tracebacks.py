"""An unexpected error tells where it happened, and quotes no row of the driver's text."""

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[4]
_ROW = "CONTEXT:  COPY t, line 1: 552032534 ZORGLUB HERMELINE"
_FAIL = f"""
import logging, threading
import psycopg2
from sqlalchemy.exc import IntegrityError
from shared.terminal.tracebacks import hide_rows

def fail():
    try:
        raise psycopg2.OperationalError("terminating connection\\n{_ROW}")
    except psycopg2.Error as error:
        raise KeyError("found later") from error

hide_rows()
"""


def _stderr_of(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _FAIL + code], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "fail()",
        "raise IntegrityError('INSERT', {}, psycopg2.errors.CheckViolation('ZORGLUB'))",
        "thread = threading.Thread(target=fail); thread.start(); thread.join()",
        "try: fail()\nexcept KeyError: logging.getLogger('sqlalchemy.pool').exception('at reset')",
    ],
    ids=["uncaught", "of SQLAlchemy", "in a thread", "logged by a library"],
)
def test_an_error_of_the_driver_is_told_without_its_text(code: str) -> None:
    told = _stderr_of(code)
    assert "ZORGLUB" not in told
    assert "OperationalError" in told or "CheckViolation" in told
    assert "<string>" in told, "it says where"


def test_every_other_error_is_told_as_ever() -> None:
    told = _stderr_of("raise ValueError('seven')")
    assert "Traceback" in told
    assert "ValueError: seven" in told
