"""A text as the rules see it, computed once for all of them."""

import unicodedata
from dataclasses import dataclass

from services.reviewer.folding import Token, fold, tokenise
from services.reviewer.validation.known import Known, know
from services.reviewer.validation.masking import MASK, Masked, mask
from shared.sirene.facts import Facts


@dataclass(frozen=True, slots=True)
class Subject:
    """`rest` is the normalised text with its facts masked; `words` are the words of the rest."""

    raw: str
    text: str
    masked: Masked
    rest: str
    rest_folded: str
    words: tuple[Token, ...]
    facts: Facts
    known: Known

    @classmethod
    def of(cls, raw: str, facts: Facts) -> "Subject":
        text = normalise(raw)
        known = know(facts)
        masked = mask(text, known)
        return cls(
            raw=raw,
            text=text,
            masked=masked,
            rest=masked.rest,
            rest_folded=fold(masked.rest),
            words=tuple(token for token in tokenise(masked.rest) if MASK not in token.original),
            facts=facts,
            known=known,
        )


def normalise(raw: str) -> str:
    """NFC; control and formatting characters are reported by their rule and ignored by others."""
    kept = (
        character
        for character in unicodedata.normalize("NFC", raw)
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Cn"}
    )
    return "".join(kept).strip()
