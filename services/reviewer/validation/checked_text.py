"""A text as the rules see it, computed once for all rules."""

import re
import unicodedata
from dataclasses import dataclass

from services.reviewer.french.folding import Token, fold, tokenise
from services.reviewer.validation.known import Known, know
from services.reviewer.validation.masking import MASK, Masked, mask
from shared.sirene.facts import Facts

_PART = re.compile(rf"[^\W_]+|{MASK}+|[.!?…;:,]")


@dataclass(frozen=True, slots=True)
class CheckedText:
    """`text` is normalised, `rest` is the text with its facts masked, `words` are the rest's words.

    `spoken` are the folded words. `line` has them in order with punctuation and masks, each with
    spaces around, so that a phrase can be found as it is.
    """

    raw: str
    text: str
    masked: Masked
    rest: str
    rest_folded: str
    words: tuple[Token, ...]
    spoken: frozenset[str]
    line: str
    facts: Facts
    known: Known

    @classmethod
    def of(cls, raw: str, facts: Facts) -> "CheckedText":
        text = normalise(raw)
        known = know(facts)
        masked = mask(text, known)
        rest_folded = fold(masked.rest)
        words = tuple(token for token in tokenise(masked.rest) if MASK not in token.original)
        return cls(
            raw=raw,
            text=text,
            masked=masked,
            rest=masked.rest,
            rest_folded=rest_folded,
            words=words,
            spoken=frozenset(word.folded for word in words),
            line=f" {' '.join(_PART.findall(rest_folded))} ",
            facts=facts,
            known=known,
        )


def normalise(raw: str) -> str:
    """Return the text in NFC without control and formatting characters.

    A rule reports these characters; the other rules ignore them.
    """
    kept = (
        character
        for character in unicodedata.normalize("NFC", raw)
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Cn"}
    )
    return "".join(kept).strip()
