"""A text as the rules see it, computed once for all rules."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from services.reviewer.french.folding import Token, fold, fold_with_origins, tokenise
from services.reviewer.validation.known import Known, know
from services.reviewer.validation.literals import UNMASKED
from services.reviewer.validation.masking import MASK, Masked, Span, cover, find_facts, mask
from services.reviewer.validation.sentences.reader import Sentence, read
from shared.sirene.facts import Facts

_PART = re.compile(rf"[^\W_]+|{MASK}+|[.!?…;:,]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of the text: what is left out is masked, so that positions stay those of the text.

    `words` are its words, `spoken` are they folded. `line` has them in order with punctuation and
    masks, each with spaces around, so that a phrase can be found as it is.
    """

    rest: str
    folded: str
    words: tuple[Token, ...]
    spoken: frozenset[str]
    line: str

    @classmethod
    def of(cls, rest: str) -> "Passage":
        folded = fold(rest)
        words = tuple(token for token in tokenise(rest) if MASK not in token.original)
        return cls(
            rest=rest,
            folded=folded,
            words=words,
            spoken=frozenset(word.folded for word in words),
            line=f" {' '.join(_PART.findall(folded))} ",
        )


NOTHING = Passage.of("")
"""The view of a text that is understood to its end."""


@dataclass(frozen=True, slots=True)
class CheckedText:
    """`text` is normalised, `whole` is the text with its facts masked.

    `unread` has only the sentences that are not understood as statements of the facts: what is
    understood says nothing that the rules on the content could forbid.
    """

    raw: str
    text: str
    masked: Masked
    whole: Passage
    unread: Passage
    sentences: tuple[Sentence, ...]
    facts: Facts
    known: Known

    @classmethod
    def of(cls, raw: str, facts: Facts) -> "CheckedText":
        text = normalise(raw)
        known = know(facts)
        folded = fold_with_origins(text)
        found = find_facts(text, folded, known)
        masked = mask(text, folded, known, found)
        sentences = tuple(read(text, facts, known, found))
        understood = [
            Span("sentence", one.start, one.end - 1) for one in sentences if one.understood
        ]
        former = [one.span for one in found if one.literal.kind in UNMASKED]
        whole = Passage.of(cover(masked.rest, (one for one in former if _is_in(one, understood))))
        unread = whole
        if len(understood) == len(sentences):
            unread = NOTHING
        elif understood:
            unread = Passage.of(cover(masked.rest, understood))
        return cls(
            raw=raw,
            text=text,
            masked=masked,
            whole=whole,
            unread=unread,
            sentences=sentences,
            facts=facts,
            known=known,
        )


def _is_in(span: Span, understood: Iterable[Span]) -> bool:
    """Return whether the span is part of a sentence that is understood."""
    return any(one.start <= span.start and span.end <= one.end for one in understood)


def plainly_printable(raw: str) -> bool:
    """Return whether the text has printable characters, spaces that do not break and lines only."""
    return raw.translate(_SPACES).isprintable()


_SPACES = dict.fromkeys(map(ord, "\n\u00a0\u202f"), " ")


def normalise(raw: str) -> str:
    """Return the text in NFC without control and formatting characters.

    A rule reports these characters; the other rules ignore them.
    """
    if plainly_printable(raw):
        return unicodedata.normalize("NFC", raw).strip()
    kept = (
        character
        for character in unicodedata.normalize("NFC", raw)
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Cn"}
    )
    return "".join(kept).strip()
