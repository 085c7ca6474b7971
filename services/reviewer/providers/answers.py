"""Answers of chat servers. Any answer becomes a text or reason codes. Pure."""

import re
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from services.reviewer.providers.settings import StructuredOutput, TokenUsage

FIELD = "texte"
"""The field of the JSON object that holds the text."""

EMPTY = "empty"
TRUNCATED = "truncated"
REFUSAL = "refusal"
MALFORMED_JSON = "malformed_json"
CONTENT_FILTER = "content_filter"
UNAVAILABLE = "provider_unavailable"
BAD_REQUEST = "bad_request"

UNFIT_STATUSES = frozenset({400, 413, 422})
FILTERED = re.compile(rb'"(?:content_filter|content_policy_violation)"')
"""Marks an error that finds fault with the content of a request."""

_MOST_TOKENS = 100_000
"""The most credible count, many times what a call can use. More would overflow the sums."""

_FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """`text` is what the model wrote, or None. A text with reasons is kept for people to read.

    `usage` is None where the server names none, or one that is not credible.
    """

    text: str | None
    reasons: tuple[str, ...]
    usage: TokenUsage | None


def read_answer(body: bytes, structured_output: StructuredOutput) -> ModelAnswer:
    """Read an answer. Never raises: an answer that was paid for is at least an attempt."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        return ModelAnswer(None, (MALFORMED_JSON,), None)
    text, reasons = _read_choice(content.get("choices"), structured_output)
    return ModelAnswer(text, reasons, _read_usage(content.get("usage")))


def _read_choice(
    choices: Any, structured_output: StructuredOutput
) -> tuple[str | None, tuple[str, ...]]:
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return None, (EMPTY,)
    content = _content(message.get("content"))
    cut_short = _cut_short(choice.get("finish_reason"), message.get("refusal"))
    if cut_short is not None:
        return content, (cut_short,)
    if content is None:
        return None, (EMPTY,)
    if structured_output == "plain" and not content.startswith(('{"', "```")):
        return content, ()
    return _from_json(content)


def _cut_short(finish_reason: Any, refusal: Any) -> str | None:
    if finish_reason == "content_filter":
        return CONTENT_FILTER
    if refusal:
        return REFUSAL
    return TRUNCATED if finish_reason == "length" else None


def _content(content: Any) -> str | None:
    """Return the text of a string or of a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    return (content.strip() or None) if isinstance(content, str) else None


def _from_json(content: str) -> tuple[str | None, tuple[str, ...]]:
    fenced = _FENCE.fullmatch(content)
    try:
        found = orjson.loads(content if fenced is None else fenced.group(1))
    except orjson.JSONDecodeError:
        return content, (MALFORMED_JSON,)
    text = found.get(FIELD) if isinstance(found, dict) else None
    if not isinstance(text, str):
        return content, (MALFORMED_JSON,)
    return (text.strip(), ()) if text.strip() else (None, (EMPTY,))


def _read_usage(usage: Any) -> TokenUsage | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    if cached is None:
        cached = usage.get("prompt_cache_hit_tokens")
    try:
        tokens_in, tokens_out = int(usage["prompt_tokens"]), int(usage["completion_tokens"])
        if max(tokens_in, tokens_out) > _MOST_TOKENS:
            return None
        return TokenUsage(
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            tokens_cached=min(int(cached or 0), tokens_in),
        )
    except (KeyError, TypeError, ValueError, OverflowError, ValidationError):
        return None
