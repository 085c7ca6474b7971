"""Words and phrases that a text may not use, by reason code. Sets are faster than patterns."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.reviewer.french.data import read_lines
from services.reviewer.french.folding import fold
from services.reviewer.validation.checked_text import CheckedText


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`phrases` have a space at both ends, or only in front where the end is open (`*`)."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    phrases: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]

    def found(self, words: frozenset[str], line: str) -> bool:
        """Return whether an entry is found. `line` has the words in order, with spaces around."""
        return (
            not self.words.isdisjoint(words)
            or any(word.startswith(self.beginnings) for word in words)
            or any(phrase in line for phrase in self.phrases)
            or any(pattern.search(line) for pattern in self.patterns)
        )


NO_WORDS = Lexicon(frozenset(), (), (), ())


@functools.cache
def lexicons() -> Mapping[str, Lexicon]:
    """Read the lexicon of each reason code, once."""
    return read_lexicons("lexique.txt")


def read_lexicons(file_name: str) -> Mapping[str, Lexicon]:
    """Read the lexicons of a file by their headers."""
    entries: dict[str, list[str]] = {}
    for line in filter(None, read_lines(file_name)):
        header = re.fullmatch(r"\[(\w+)\]", line)
        if header is not None:
            found = entries.setdefault(header.group(1), [])
        else:
            found += [entry for part in line.split(",") if (entry := fold(part).strip())]
    return MappingProxyType({code: _lexicon(found) for code, found in entries.items()})


def _lexicon(entries: Iterable[str]) -> Lexicon:
    words, beginnings, phrases, patterns = set(), [], [], []
    for entry in entries:
        if " " not in entry:
            if entry.endswith("*"):
                beginnings.append(entry[:-1])
            else:
                words.add(entry)
        elif "*" in entry[:-1]:
            inner = re.escape(entry).replace(r"\*", r"\w*").replace(r"\ ", " ")
            patterns.append(re.compile(rf" {inner} "))
        else:
            phrases.append(f" {entry[:-1]}" if entry.endswith("*") else f" {entry} ")
    return Lexicon(frozenset(words), tuple(beginnings), tuple(phrases), tuple(patterns))


def said(code: str, checked: CheckedText) -> bool:
    return lexicons()[code].found(checked.unread.spoken, checked.unread.line)
