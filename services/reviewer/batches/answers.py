"""The answers in a batch's files, read line by line: pure. A line is an answer or nothing."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from services.reviewer.providers.answers import (
    BAD_REQUEST,
    CONTENT_FILTER,
    UNAVAILABLE,
    ModelAnswer,
    read_answer,
)
from services.reviewer.providers.settings import StructuredOutput, TokenUsage

_OK = 200
_UNFIT = frozenset({400, 413, 422})
_NOT_BEGUN = frozenset({"batch_expired", "batch_cancelled"})
_NOTHING = TokenUsage(tokens_in=0, tokens_out=0)
_FILTERED = re.compile(rb'"(?:content_filter|content_policy_violation)"')

MISSING = ModelAnswer(None, (UNAVAILABLE,), _NOTHING)
"""Stands for an answer that a completed batch does not hold."""


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """`line_id` is our id of the line; an answer without `usage` did cost something."""

    line_id: int
    answer: ModelAnswer


def read_line(line: bytes, structured_output: StructuredOutput) -> LineAnswer | None:
    """Return None for a line without an id of ours, and for one that was never begun.

    Never raises.
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
    return LineAnswer(int(name), _answer(told.get("response"), error, structured_output))


def _answer(response: Any, error: Any, structured_output: StructuredOutput) -> ModelAnswer:
    body = response.get("body") if isinstance(response, dict) else None
    status = response.get("status_code") if isinstance(response, dict) else None
    if status == _OK and not error:
        return read_answer(_as_json(body), structured_output)
    # A failure costs nothing unless it tells its usage.
    found = read_answer(_as_json(body), structured_output) if isinstance(body, dict) else None
    usage = (found.usage if found is not None else None) or _NOTHING
    if _FILTERED.search(_as_json([body, error])):
        return ModelAnswer(None, (CONTENT_FILTER,), usage)
    return ModelAnswer(
        None, (BAD_REQUEST if type(status) is int and status in _UNFIT else UNAVAILABLE,), usage
    )


def _as_json(value: Any) -> bytes:
    """Return no bytes where the value is nested too deeply to be written again."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return b""
