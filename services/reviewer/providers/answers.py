"""Answers of chat servers. Any answer becomes a text or reason codes. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import ValidationError

from services.reviewer.notices.slots import fill
from services.reviewer.providers.settings import StructuredOutput, TokenUsage
from services.reviewer.validation.sentences.declarations import DeclaredSentence
from services.reviewer.validation.sentences.told import FACT_NAMES
from shared.sirene.facts import Facts

_SENTENCES = "phrases"
_TEXT = "texte"
_NAMES = "faits"


def _object(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_NAME = {"type": "string", "enum": sorted(FACT_NAMES)}
_SENTENCE = _object({_TEXT: {"type": "string"}, _NAMES: {"type": "array", "items": _NAME}})
SCHEMA: Mapping[str, object] = _object({_SENTENCES: {"type": "array", "items": _SENTENCE}})
"""The JSON schema of an answer: its sentences, each with its text and the facts that it uses."""

_MOST_SENTENCES = 12
"""Twice those that a prompt asks for."""

EMPTY = "empty"
TRUNCATED = "truncated"
REFUSAL = "refusal"
MALFORMED_JSON = "malformed_json"
CONTENT_FILTER = "content_filter"
TOO_LONG = "too_long"
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

    `usage` is None where the server names none, or one that is not credible. `sentences` make the
    text, where the server was asked for them.
    """

    text: str | None
    reasons: tuple[str, ...]
    usage: TokenUsage | None
    sentences: tuple[DeclaredSentence, ...] = ()

    def filled(self, facts: Facts) -> "ModelAnswer":
        """Return the answer with the facts in its slots; a text with reasons stays as it is."""
        if self.text is None or self.reasons:
            return self
        sentences = tuple(replace(one, text=fill(one.text, facts)) for one in self.sentences)
        return replace(
            self,
            text=_joined(sentences) if sentences else fill(self.text, facts),
            sentences=sentences,
        )


def read_answer(body: bytes, structured_output: StructuredOutput) -> ModelAnswer:
    """Read an answer. Never raises: an answer that was paid for is at least an attempt."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        return ModelAnswer(None, (MALFORMED_JSON,), None)
    answer = _read_choice(content.get("choices"), structured_output)
    return replace(answer, usage=_read_usage(content.get("usage")))


def _read_choice(choices: Any, structured_output: StructuredOutput) -> ModelAnswer:
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return ModelAnswer(None, (EMPTY,), None)
    content = _content(message.get("content"))
    cut_short = _cut_short(choice.get("finish_reason"), message.get("refusal"))
    if cut_short is not None:
        return ModelAnswer(content, (cut_short,), None)
    if content is None:
        return ModelAnswer(None, (EMPTY,), None)
    if structured_output != "plain":
        return _from_json(content)
    if content.startswith(('{"', "```")):
        # Its prompt asks for no names: none is held against the text.
        return replace(_from_json(content), sentences=())
    return ModelAnswer(content, (), None)


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


def _from_json(content: str) -> ModelAnswer:
    fenced = _FENCE.fullmatch(content)
    try:
        found = orjson.loads(content if fenced is None else fenced.group(1))
    except orjson.JSONDecodeError:
        found = None
    sentences = _sentences(found.get(_SENTENCES)) if isinstance(found, dict) else None
    if sentences is None:
        return ModelAnswer(content, (MALFORMED_JSON,), None)
    if len(sentences) > _MOST_SENTENCES:
        return ModelAnswer(content, (TOO_LONG,), None)
    if not sentences:
        return ModelAnswer(None, (EMPTY,), None)
    return ModelAnswer(_joined(sentences), (), None, sentences)


def _sentences(found: Any) -> tuple[DeclaredSentence, ...] | None:
    """Return the sentences that are not empty; None for another shape."""
    if not isinstance(found, list):
        return None
    sentences = [_sentence(one) for one in found]
    if None in sentences:
        return None
    return tuple(one for one in sentences if one is not None and one.text)


def _sentence(found: Any) -> DeclaredSentence | None:
    text = found.get(_TEXT) if isinstance(found, dict) else None
    names = found.get(_NAMES) if isinstance(found, dict) else None
    if not isinstance(text, str) or not isinstance(names, list):
        return None
    if not all(isinstance(name, str) for name in names):
        return None
    return DeclaredSentence(text.strip(), frozenset(names))


def _joined(sentences: Sequence[DeclaredSentence]) -> str:
    return " ".join(one.text for one in sentences)


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
