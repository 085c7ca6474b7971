"""The answers in a batch's files, read line by line: pure. A line is an answer or nothing."""

import re
from typing import Any

import orjson

from services.reviewer.providers.answers import (
    BAD_REQUEST,
    CONTENT_FILTER,
    FILTERED,
    UNAVAILABLE,
    UNFIT_STATUSES,
    ModelAnswer,
    read_answer,
    read_failure,
)
from services.reviewer.providers.settings import StructuredOutput

_OK = 200
_NOT_BEGUN = frozenset({"batch_expired", "batch_cancelled"})

MISSING = ModelAnswer(None, (UNAVAILABLE,), None, failed=True)
"""Stands for an answer that a completed batch does not hold."""

LOST = ModelAnswer(None, (UNAVAILABLE,), None, failed=True)
"""Stands for an answer that nobody can read any more, and that was perhaps paid for."""


def read_line(line: bytes, structured_output: StructuredOutput) -> tuple[int, ModelAnswer] | None:
    """Return our id of the line and its answer.

    Return None for a line without an id of ours, and for one that was never begun. Never raises.
    """
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict):
        return None
    name = told.get("custom_id")
    if not isinstance(name, str) or re.fullmatch(r"[0-9]{1,18}", name) is None:
        return None
    error = told.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code in _NOT_BEGUN:
        return None
    return int(name), _answer(told.get("response"), error, structured_output)


def _answer(response: Any, error: Any, structured_output: StructuredOutput) -> ModelAnswer:
    body = response.get("body") if isinstance(response, dict) else None
    status = response.get("status_code") if isinstance(response, dict) else None
    if status == _OK and not error:
        return read_answer(_as_json(body), structured_output)
    unfit = type(status) is int and status in UNFIT_STATUSES
    filtered = FILTERED.search(_as_json([body, error]))
    reason = CONTENT_FILTER if filtered else BAD_REQUEST if unfit else UNAVAILABLE
    return read_failure(_as_json(body), reason)


def _as_json(value: Any) -> bytes:
    """Return no bytes where the value is nested too deeply to be written again."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return b""
