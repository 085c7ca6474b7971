"""What a notice may never say: rule 1 of the editorial rules, one pattern a code."""

import re

from services.reviewer.french.data import prenoms
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
# By somebody: not « par l'Insee », « par une association » or by what the facts name.
_BY_SOMEBODY = re.compile(
    r" (?:fonde|cree|gere|tenu|mene|conduit|detenu|repri|exploite|dirige)e?s? par "
    rf"(?!(?:l|la|une?|cette?|ce|le|les|des|son|sa) |{MASK})"
    r"| (?:par|avec|et) (?:les freres|le fils|la fille|les epoux|un certain|une certaine) "
)
_BY_INSEE = re.compile(r"\w+ par l insee ")
_MASKED_DATA = re.compile(r"\[nd\]|\bx{3,}\b|\*{3,}|█+|▒+")


def _found(pattern: re.Pattern[str], subject: CheckedText) -> bool:
    return pattern.search(subject.rest_folded) is not None


def first_person(subject: CheckedText) -> bool:
    """Speaks as somebody or to somebody: a notice is in the third person."""
    return said("first_person", subject)


def fake_experience(subject: CheckedText) -> bool:
    return said("fake_experience", subject)


def rating(subject: CheckedText) -> bool:
    return said("rating", subject) or _found(_RATING, subject)


def superlative(subject: CheckedText) -> bool:
    """Praise of any degree, also the canned one: « sérieux et professionnalisme »."""
    return said("superlative", subject)


def recommendation(subject: CheckedText) -> bool:
    return said("recommendation", subject)


def price_claim(subject: CheckedText) -> bool:
    return said("price_claim", subject) or _found(_PRICE, subject)


def health_claim(subject: CheckedText) -> bool:
    return said("health_claim", subject)


def certification_claim(subject: CheckedText) -> bool:
    return said("certification_claim", subject) or _found(_CERTIFICATION, subject)


def negative_claim(subject: CheckedText) -> bool:
    return said("negative_claim", subject)


def contact_data(subject: CheckedText) -> bool:
    return said("contact_data", subject) or _found(_CONTACT, subject)


def person_name(subject: CheckedText) -> bool:
    """Somebody besides the name of the page: by title, by office, or by a first name."""
    return (
        _CIVILITY.search(subject.rest) is not None
        or lexicons()["person_name"].found(subject.spoken, _BY_INSEE.sub("", subject.line))
        or _BY_SOMEBODY.search(subject.line) is not None
        or any(
            word.capitalised
            and word.folded in prenoms()
            and not subject.known.is_grounded(word.folded)
            for word in subject.words
        )
    )


def masked_data(subject: CheckedText) -> bool:
    """INSEE's "[ND]" and what stands for it: what is masked is not even hinted at."""
    return said("masked_data", subject) or _found(_MASKED_DATA, subject)


def sensitive(subject: CheckedText) -> bool:
    """The special categories of GDPR article 9, and convictions."""
    return said("sensitive", subject)


def profanity(subject: CheckedText) -> bool:
    return said("profanity", subject)
