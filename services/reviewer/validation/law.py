"""Words and patterns that a notice may never hold: rule 1 of the editorial rules."""

import re
from collections.abc import Callable, Mapping
from functools import partial

from services.reviewer.french.data import prenoms
from services.reviewer.french.disguises import (
    holds_address,
    holds_telephone,
    masks_a_word,
    undisguised,
)
from services.reviewer.validation.checked_text import CheckedText
from services.reviewer.validation.lexicon import lexicons, said
from services.reviewer.validation.masking import MASK

_RATING = re.compile(
    r"[★☆⭐👍👎]|\b\d+(?:[.,]\d+)? ?(?:/|sur) ?(?:5|10|20|100)\b|\b\d+ ?%"
    r"|\b(?:notee?s?|note|score|notation|evaluee?s?) ?(?:est |de |a |: )*\d"
    r"|\b(?:cinq|quatre|trois|dix|neuf|huit) (?:etoiles|sur (?:cinq|dix|vingt))"
)
_PRICE = re.compile(r"€|\$|\b\d+ ?(?:euros?|eur)\b")
_CERTIFICATION = re.compile(r"\biso ?\d+")
_CONTACT = re.compile(
    r"(?:\+ ?33|\b0) ?(?:\(0\) ?)?[1-9](?:[ .-]?\d{2}){4}\b|\S@\S|\(at\)|\[at\]|\barobase\b"
    r"|\b[a-z0-9-]+\.(?:fr|com|net|org|eu|io|info|shop|bzh)\b|\b0[1-9]\d{8}\b"
    r"|\b(?:3\d{3}|08 ?\d\d)\b(?= ?(?:$|[.,]))|\b\d{5} (?=[a-z¤])|\bcode postal\b|\bd\d{2,3}\b"
    r"|\b\d{1,4},? ?(?:bis|ter|quater)?,? (?:rue|avenue|boulevard|chemin|impasse|allee|place|quai"
    r"|route|cours|square)\b|\b(?:route|cours|square|av\.|bd) (?:de|du|des|d'|la|le|les)\b"
)
_CIVILITY = re.compile(r"(?<!\w)(?:M\.|MM\.|Mme|Mmes|Mlle|Mr|Dr|Me|Pr) ?[A-ZÀ-Þ]")
# A person did it: not « par l'Insee », « par une association » or a name among the facts.
_BY_A_PERSON = re.compile(
    r" (?:fonde|cree|gere|tenu|mene|conduit|detenu|repri|exploite|dirige)e?s? par "
    rf"(?!(?:l|la|une?|cette?|ce|le|les|des|son|sa) |{MASK})"
    r"| (?:par|avec|et) (?:les freres|le fils|la fille|les epoux|un certain|une certaine) "
)
_BY_INSEE = re.compile(r"\w+ par l insee ")
_MASKED_DATA = re.compile(r"\[nd\]|\bx{3,}\b|\*{3,}|█+|▒+")


# The words of the lexicon, and a pattern where words are not enough.
_PATTERNS: Mapping[str, re.Pattern[str] | None] = {
    # A notice is in the third person: it speaks as nobody and to nobody.
    "first_person": None,
    "fake_experience": None,
    "rating": _RATING,
    # Praise of any degree, also the canned one: « sérieux et professionnalisme ».
    "superlative": None,
    "recommendation": None,
    "price_claim": _PRICE,
    "health_claim": None,
    "certification_claim": _CERTIFICATION,
    "negative_claim": None,
    # A register does not say how a firm stands beside others, its size and owner, whom it serves
    # and when, who vouches for it.
    "comparison": None,
    "size_claim": None,
    "ownership_claim": None,
    "area_claim": None,
    "authority_claim": None,
    "contact_data": _CONTACT,
    # Its rule is `person_name`: the lexicon alone is not enough.
    "person_name": None,
    # INSEE's "[ND]" and its stand-ins: a notice does not even hint at masked data.
    "masked_data": _MASKED_DATA,
    # The special categories of GDPR article 9, and convictions.
    "sensitive": None,
    "profanity": None,
}


def _is_said(code: str, checked: CheckedText) -> bool:
    pattern = _PATTERNS[code]
    return said(code, checked) or (
        pattern is not None and pattern.search(checked.unread.folded) is not None
    )


def person_name(checked: CheckedText) -> bool:
    """Return whether a person is named besides the facts: by title, office or first name."""
    return (
        _CIVILITY.search(checked.unread.rest) is not None
        or lexicons()["person_name"].found(
            checked.unread.spoken, _BY_INSEE.sub("", checked.unread.line)
        )
        or _BY_A_PERSON.search(checked.unread.line) is not None
        or any(
            word.capitalised
            and word.folded in prenoms()
            and not checked.known.is_grounded(word.folded)
            for word in checked.unread.words
        )
    )


def contact_data(checked: CheckedText) -> bool:
    """Return whether a number or an address is told, also in words and look-alikes."""
    folded = checked.unread.folded
    return _is_said("contact_data", checked) or holds_telephone(folded) or holds_address(folded)


def profanity(checked: CheckedText) -> bool:
    """Return whether an insult is written, also with digits or signs for its letters."""
    folded = checked.unread.folded
    meant = frozenset(undisguised(folded))
    return (
        _is_said("profanity", checked)
        or masks_a_word(folded)
        or lexicons()["profanity"].found(meant, "")
    )


RULES: dict[str, Callable[[CheckedText], bool]] = {
    **{code: partial(_is_said, code) for code in _PATTERNS},
    "contact_data": contact_data,
    "person_name": person_name,
    "profanity": profanity,
}
