"""The signs that steer a terminal or end a line, taken out of what is stored and shown. Pure.

Strangers choose names, and servers word their errors: ESC moves a cursor or renames a window, a
bidi control turns the signs after it around, an end of line begins a line that nobody wrote.
"""

import json
import re
import unicodedata
from typing import Final

# Classes of regular expressions, which Arrow reads, too.
ENDS: Final = "[\x01-\x1f\x7f-\x9f\u2028\u2029]"
"""C0, C1 and the ends of lines and paragraphs: a space stands in their place."""

TURNS: Final = "[\x00\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
"""Bidi controls, which have no width; and NUL, which PostgreSQL cannot store."""

_ENDS, _TURNS = re.compile(ENDS), re.compile(TURNS)
_STEERING = re.compile(rf"(?!\n)(?:{ENDS}|{TURNS})")


def without_controls(text: str) -> str:
    """Return a text for the store."""
    return text if text.isprintable() else _ENDS.sub(" ", _TURNS.sub("", text))


def without_steering(text: str) -> str:
    """Drop what steers a terminal, all of it without a width; ends of lines stay."""
    return text if text.isprintable() else _STEERING.sub("", text)


def shown(value: object) -> str:
    """Write a value on one line, each sign that nobody would see as an escape."""
    text = str(value)
    return text if text.isprintable() else "".join(map(_escape, text))


def shown_lines(text: str) -> str:
    """Write a text of several lines, each as `shown` does."""
    return "\n".join(map(shown, text.split("\n")))


def shown_json(line: str) -> str:
    """Escape the same signs in one line of JSON, which then says the same."""
    if line.isprintable():
        return line
    return "".join([sign if _is_seen(sign) else json.dumps(sign)[1:-1] for sign in line])


def _escape(sign: str) -> str:
    return sign if _is_seen(sign) else sign.encode("unicode_escape").decode()


def _is_seen(sign: str) -> bool:
    return sign.isprintable() or unicodedata.category(sign) == "Zs"
