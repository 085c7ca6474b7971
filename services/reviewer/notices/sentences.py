"""The sentences of the templates: variants by section, with slots for values."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from services.reviewer.french.grammar import NBSP

SLOT = re.compile(r"\{([A-Z_]+)\}")
_HEADER = re.compile(r"\[(\w+)\]")
_LONG = re.compile(r"\w{6,}")
_BEFORE_SIGN = re.compile(r" (?=[:;»])")


@dataclass(frozen=True, slots=True)
class Variant:
    """A sentence with its slots, no-break spaces in place; `words` are its own long ones."""

    text: str
    slots: frozenset[str]
    words: frozenset[str]

    @classmethod
    def of(cls, line: str) -> "Variant":
        words = frozenset(roots(SLOT.sub(" ", line)))
        return cls(_BEFORE_SIGN.sub(NBSP, line), frozenset(SLOT.findall(line)), words)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put the values into the slots, in one pass: a name made of slots stays a name."""
    return SLOT.sub(lambda slot: values[slot.group(1)], text)


def roots(text: str) -> list[str]:
    """Return the long words in small letters, without the sign of the plural."""
    return [word.rstrip("s") for word in _LONG.findall(text.lower())]


@functools.cache
def sections() -> Mapping[str, tuple[Variant, ...]]:
    """Read the variants of each section, once."""
    found: dict[str, list[Variant]] = {}
    folder = resources.files(__package__ or __name__) / "templates"
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        variants: list[Variant] = []
        for line in path.read_text(encoding="utf-8").splitlines():
            header = _HEADER.fullmatch(line)
            if header is not None:
                variants = found.setdefault(header.group(1), [])
            elif line and not line.startswith("#"):
                variants.append(Variant.of(line))
    return MappingProxyType({name: tuple(variants) for name, variants in found.items()})
