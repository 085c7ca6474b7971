"""Reasons for which a review is counted but not quoted. Pure.

A review is quoted whole or not at all, so one such passage keeps all of it out. Praise
and blame are no reason: a choice by opinion would be one (docs/adr/0025-reviews.md). An accusation
is: whoever repeats one answers for it.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

from services.reviewer.french.folding import fold, tokenise
from services.reviewer.reviews.people import names_a_person
from services.reviewer.reviews.source import Source
from services.reviewer.validation.lexicon import Lexicon, lexicons, read_lexicons
from shared.sirene.facts import Facts

ACCUSATION = "accusation"
LONGEST_QUOTATION = 1000
"""Characters that are quoted; a longer review is counted."""

_CODES = ("contact_data", "sensitive", "profanity", ACCUSATION, "injection_suspect")
_CONTACT = re.compile(
    r"\S ?@ ?\S|\S ?[(\[{] ?(?:at|a|arobase|@) ?[)\]}] ?\S|://|\bwww\."
    r"|\b[a-z0-9-]{2,}\.(?:fr|com|net|org|eu|io|info|shop|bzh|me|be|ch|ly|gg)\b"
    # Nine digits or more, however they are grouped; a date or a price has fewer.
    r"|\+?\d(?:[ ./-]{0,2}\(?\d\)?){8,}"
    r"|\bzero (?:un|deux|trois|quatre|cinq|six|sept|huit|neuf)\b"
    r"|\b\d{1,4},? ?(?:bis|ter|quater)?,? (?:rue|avenue|av|boulevard|bd|chemin|impasse|allee|place"
    r"|quai|route|cours|square|lotissement|residence)\b"
    r"|\b[a-z]{2}-\d{3}-[a-z]{2}\b|\b[a-z]{2}\d{3}[a-z]{2}\b|\bfr\d{2} ?\d{4}\b"
)
_MARKUP = re.compile(r"[<>{}]|&(?:[a-z]+|#\w+);|\]\(|```|\[/?[a-z]{1,6}[\]=]|javascript:|\\[nrtux]")
_PART = re.compile(r"[^\W_]+|[.!?…;:,*]")
# « enf0iré »
_DIGITS = str.maketrans("013457", "oieast")
_LETTERS_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_][ ._*-]){3,}[^\W\d_](?![^\W_])")
_MASKED_WORD = re.compile(r"[^\W\d_][*#@$]{1,}[^\W\d_]|[^\W\d_]\*{2,}")


@functools.lru_cache(maxsize=4096)
def reasons_against_quoting(source: Source, facts: Facts) -> tuple[str, ...]:
    """Return a code for each reason; none where the review may be quoted."""
    own_names = tuple(
        filter(None, (facts.nom, facts.enseigne, facts.denomination, facts.sigle, facts.commune))
    )
    reasons = dict.fromkeys(_in_words(source.verbatim))
    if names_a_person(source.verbatim, own_names):
        reasons["person_name"] = None
    # A signature that is a telephone number or an insult keeps the review out, too.
    reasons |= dict.fromkeys(_in_words(source.author_label))
    if len(source.verbatim) > LONGEST_QUOTATION:
        reasons["too_long"] = None
    return tuple(reasons)


def _in_words(words: str) -> Iterator[str]:
    # Full-width digits and letters count as plain ones.
    plain = unicodedata.normalize("NFKC", words)
    folded = fold("".join(c for c in plain if unicodedata.category(c) != "Cf"))
    line = f" {' '.join(_PART.findall(folded))} "
    joined = (re.sub(r"[\W_]", "", found) for found in _LETTERS_APART.findall(folded))
    words_said = [token.folded for token in tokenise(folded)]
    disguised = (word.translate(_DIGITS) for word in words_said if not word.isalpha())
    spoken = frozenset([*words_said, *joined, *disguised])
    for code in _CODES:
        if _lexicon(code).found(spoken, line) or _found_more(code, folded, spoken, line):
            yield code
    if _MARKUP.search(folded):
        yield "markup"
    if any(unicodedata.category(c) in {"Cc", "Cf", "Co", "Cn"} and c not in "\n\t" for c in words):
        yield "control_chars"
    if not _is_balanced(words):
        yield "quotation_marks"


def _found_more(code: str, folded: str, spoken: frozenset[str], line: str) -> bool:
    match code:
        case "contact_data":
            return _CONTACT.search(folded) is not None
        case "profanity":
            is_masked = _MASKED_WORD.search(folded) is not None
            return is_masked or lexicons()["profanity"].found(spoken, line)
        case _:
            return False


def _is_balanced(words: str) -> bool:
    """Return whether each « is closed: a loose » would end the quotation before its end."""
    depth = 0
    for character in words:
        depth += {"«": 1, "»": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def _lexicon(code: str) -> Lexicon:
    return _lexicons()[code]


@functools.cache
def _lexicons() -> dict[str, Lexicon]:
    return dict(read_lexicons("citations.txt"))
