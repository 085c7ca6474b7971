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

_FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)
# Some models think aloud before they answer; some templates write the first mark for them.
_THOUGHT = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_THOUGHTS = frozenset({"thinking", "reasoning"})


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """`text` is what the model wrote, or None. A text with reasons is kept for people to read.

    `usage` is as the server tells it, and None where it tells none. `written_bytes` are those of
    text and thoughts as they came. `sentences` make the text, where the server was asked for them.
    One that `failed` is no answer of a model: it costs nothing unless `usage` says so.
    """

    text: str | None
    reasons: tuple[str, ...]
    usage: TokenUsage | None
    sentences: tuple[DeclaredSentence, ...] = ()
    written_bytes: int = 0
    failed: bool = False

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
    """Read an answer. Never raises: what is none has failed."""
    told = _object_in(body)
    if told.get("error"):
        return read_failure(body)
    message = _message(told.get("choices"))
    if message is None:
        return read_failure(body)
    answer = _read_message(message, structured_output)
    usage = _read_usage(told.get("usage"))
    return replace(answer, usage=usage, written_bytes=_written_bytes(message))


def read_failure(body: bytes, reason: str = UNAVAILABLE) -> ModelAnswer:
    """Read what a server sends in place of an answer: nothing counts but its usage."""
    return ModelAnswer(None, (reason,), _read_usage(_object_in(body).get("usage")), failed=True)


def _object_in(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object; an empty one for anything else."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _message(choices: Any) -> Mapping[str, Any] | None:
    """Return the first message with its `finish_reason`; None where no model has ended one."""
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return None
    if choice.get("error") or choice.get("finish_reason") == "error":
        return None
    return {**message, "finish_reason": choice.get("finish_reason")}


def _read_message(message: Mapping[str, Any], structured_output: StructuredOutput) -> ModelAnswer:
    content = _content(message.get("content"))
    cut_short = _cut_short(message["finish_reason"], message.get("refusal"))
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


def _written_bytes(message: Mapping[str, Any]) -> int:
    written = [message.get(name) for name in ("content", "reasoning_content", "reasoning")]
    try:
        return sum(
            len(each.encode() if isinstance(each, str) else orjson.dumps(each))
            for each in written
            if each
        )
    except TypeError:  # It is nested too deeply to be written again.
        return 0


def _cut_short(finish_reason: Any, refusal: Any) -> str | None:
    if finish_reason == "content_filter":
        return CONTENT_FILTER
    if refusal:
        return REFUSAL
    return TRUNCATED if finish_reason == "length" else None


def _content(content: Any) -> str | None:
    """Return the text of a string or of a list of parts, without the model's thoughts."""
    if isinstance(content, list):
        parts = [
            part.get("text")
            for part in content
            if isinstance(part, dict) and part.get("type") not in _THOUGHTS
        ]
        content = "".join(part for part in parts if isinstance(part, str))
    return (_without_thoughts(content).strip() or None) if isinstance(content, str) else None


def _without_thoughts(content: str) -> str:
    """Return what comes after the last thought; nothing of a thought that does not end."""
    marks = list(_THOUGHT.finditer(content))
    if not marks:
        return content
    last = marks[-1]
    return content[last.end() :] if last.group(1) else content[: marks[0].start()]


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
    """Return the usage, however high it is; None where a number is missing or is none."""
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    if cached is None:
        cached = usage.get("prompt_cache_hit_tokens")
    try:
        tokens_in, tokens_out = int(usage["prompt_tokens"]), int(usage["completion_tokens"])
        # Some servers count a model's thoughts in the total only.
        tokens_out = max(tokens_out, _count(usage.get("total_tokens")) - tokens_in)
        return TokenUsage(
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            tokens_cached=min(int(cached or 0), tokens_in),
        )
    except (KeyError, TypeError, ValueError, OverflowError, ValidationError):
        return None


def _count(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
