"""Reasons for which a review is counted but not quoted. Pure.

A review is quoted whole or not at all, so one such passage keeps all of it out. Praise
and blame are no reason: a choice by opinion would be one (docs/adr/0025-reviews.md). An accusation
is: whoever repeats one answers for it.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator

from services.reviewer.french.disguises import undisguised
from services.reviewer.french.folding import fold, tokenise
from services.reviewer.reviews.authors import is_named_like
from services.reviewer.reviews.people import is_full_name, names_a_person
from services.reviewer.reviews.signs import shows, speaks_another_language
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.trades import tells_another_trade
from services.reviewer.validation.lexicon import NO_WORDS, Lexicon, lexicons, read_lexicons
from shared.sirene.facts import Facts

ACCUSATION = "accusation"
THREAT = "threat"
BLAME = frozenset({ACCUSATION, THREAT})
"""Reasons that leave blame out of the picture, so that a person has to see it."""
LONGEST_QUOTATION = 1000
"""Characters that are quoted; a longer review is counted."""

_CODES = (
    "contact_data",
    "sensitive",
    "profanity",
    "demeaning",
    "identifiable",
    ACCUSATION,
    THREAT,
    "advertising",
    "other_firm",
    "injection_suspect",
    "markup",
    "flood",
)
_PART = re.compile(r"[^\W_]+|[.!?…;:,*]")


@functools.lru_cache(maxsize=4096)
def reasons_against_quoting(source: Source, facts: Facts) -> tuple[str, ...]:
    """Return a code for each reason; none where the review may be quoted."""
    own_names = tuple(
        filter(None, (facts.nom, facts.enseigne, facts.denomination, facts.sigle, facts.commune))
    )
    reasons = dict.fromkeys(_in_words(source.verbatim))
    if names_a_person(source.verbatim, own_names):
        reasons["person_name"] = None
    if speaks_another_language(source.verbatim):
        reasons["foreign_language"] = None
    if tells_another_trade(source.verbatim, facts):
        reasons["other_firm"] = None
    firm = (facts.nom, facts.enseigne, facts.denomination)
    if is_named_like(source.author_label, filter(None, firm)):
        reasons["author_is_firm"] = None
    if is_full_name(source.author_label):
        reasons["author_name"] = None
    # A signature that is a telephone number or an insult keeps the review out, too.
    reasons |= dict.fromkeys(_in_words(source.author_label))
    if len(source.verbatim) > LONGEST_QUOTATION:
        reasons["too_long"] = None
    return tuple(reasons)


def _in_words(words: str) -> Iterator[str]:
    # Full-width digits and letters count as plain ones.
    plain = unicodedata.normalize("NFKC", words)
    visible = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    folded = fold(visible)
    line = f" {' '.join(_PART.findall(folded))} "
    words_said = [token.folded for token in tokenise(folded)]
    spoken = frozenset([*words_said, *undisguised(folded)])
    for code in _CODES:
        if (
            _lexicon(code).found(spoken, line)
            or (code == "profanity" and lexicons()[code].found(spoken, line))
            or shows(code, visible)
        ):
            yield code
    if any(unicodedata.category(c) in {"Cc", "Cf", "Co", "Cn"} and c not in "\n\t" for c in words):
        yield "control_chars"
    if not _is_balanced(words):
        yield "quotation_marks"


def _is_balanced(words: str) -> bool:
    """Return whether each « is closed: a loose » would end the quotation before its end."""
    depth = 0
    for character in words:
        depth += {"«": 1, "»": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def _lexicon(code: str) -> Lexicon:
    return _lexicons().get(code, NO_WORDS)


@functools.cache
def _lexicons() -> dict[str, Lexicon]:
    return dict(read_lexicons("citations.txt"))
