"""The reason of a server that refuses a request: bounded, on one line, without secrets."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from shared.controls import shown

_MOST_CHARACTERS = 200
# Names under which servers put an error, and its words.
_ERRORS = ("error", "errors", "header")
_WORDS = ("code", "type", "status", "message", "detail", "description")
# No word of a message is as long; a key, a token or a piece of a request is.
_LONG_WORD = re.compile(r"[^\s\"']{32,}")
# Servers show the ends of a key.
_PART_OF_A_KEY = re.compile(r"\b(?:[sp]k-|AIza)[-\w*.…]{4,}|\S*\*{2,}\S*")
_HIDDEN = "[…]"
_OF_A_KEY = re.compile(
    r"\b(?:api[ _-]?key|key|clé|jeton|token)\b.{0,60}"
    r"\b(?:not valid|invalid|incorrect|wrong|unknown|expired|refused|missing|invalide|absente?)"
    r"|\b(?:invalid|incorrect|wrong|unknown|expired|no|missing)[ _-](?:api[ _-]?)?key\b"
    r"|\bAPI_KEY_INVALID\b",
    re.IGNORECASE,
)


def reason_in(body: bytes, redacted: Callable[[str], str]) -> str:
    """Return the server's code and words of an error in JSON; nothing of any other body."""
    try:
        found = _words(orjson.loads(body))
    except orjson.JSONDecodeError:
        return ""
    text = redacted(" ".join(dict.fromkeys(found)))
    for hidden in (_PART_OF_A_KEY, _LONG_WORD):
        text = hidden.sub(_HIDDEN, text)
    return shown(" ".join(text.split()))[:_MOST_CHARACTERS]


def blames_key(reason: str) -> bool:
    """Return whether a server finds fault with the key, whatever its status says."""
    return _OF_A_KEY.search(reason) is not None


def _words(told: Any) -> list[str]:
    """Return the words of the outermost error; servers put it in a list, an object or a text."""
    if isinstance(told, list):
        return _words(told[0]) if told else []
    if not isinstance(told, dict):
        return [told] if isinstance(told, str) else []
    for name in _ERRORS:
        if told.get(name):
            return _words(told[name])
    values = [told.get(name) for name in _WORDS]
    return [str(value) for value in values if isinstance(value, str | int) and value]
