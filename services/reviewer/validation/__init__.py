"""Decides whether a text may be published: pure, and every reason is told, not only the first.

normalise → mask the facts → forbidden patterns in the rest → grounding. Comparing with the other
texts of a commune and activity (`exact_duplicate`, `near_duplicate`) needs the database and happens
where a text is stored.

Some codes overlap by nature, and which of them a fault earns says little: `prompt_leak`,
`meta_talk`, `injection_suspect` and `refusal` (a writer who speaks of its task), `fake_experience`,
`superlative` and `negative_claim` (an opinion, from whichever side), `certification_claim` and
`ungrounded_entity` (a label that bears a name). What counts for publishing is that one is earned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.reviewer.validation import form, grounding, injection, law
from services.reviewer.validation.checked_text import CheckedText
from shared.sirene.facts import Facts

Rule = Callable[[CheckedText], bool]

_RULES: tuple[Rule, ...] = (
    form.empty,
    form.truncated,
    form.too_short,
    form.too_long,
    form.not_french,
    form.markup,
    form.control_chars,
    form.mojibake,
    form.placeholder,
    form.prompt_leak,
    form.meta_talk,
    form.repetition,
    form.all_caps,
    form.malformed_json,
    form.refusal,
    grounding.name_missing,
    grounding.city_missing,
    grounding.wrong_city,
    grounding.activity_missing,
    grounding.wrong_activity,
    grounding.wrong_legal_form,
    grounding.wrong_headcount,
    grounding.wrong_status,
    grounding.ungrounded_number,
    grounding.ungrounded_date,
    grounding.ungrounded_entity,
    grounding.ungrounded_terms,
    law.first_person,
    law.fake_experience,
    law.rating,
    law.superlative,
    law.recommendation,
    law.price_claim,
    law.health_claim,
    law.certification_claim,
    law.negative_claim,
    law.contact_data,
    law.person_name,
    law.masked_data,
    law.sensitive,
    law.profanity,
    injection.injection_suspect,
)
RULES: Mapping[str, Rule] = MappingProxyType({rule.__name__: rule for rule in _RULES})
"""Each rule by its reason code, in the order in which reasons are reported."""

_MOST_CHARACTERS = 10_000
"""Several times the longest text that may be published: rules that compare words with words would
take hours for the megabyte that a server may send."""

GROUNDING = frozenset(code for code, rule in RULES.items() if rule.__module__ == grounding.__name__)
"""What is said and is no fact, or is a fact and is not said."""


@dataclass(frozen=True, slots=True)
class Verdict:
    accepted: bool
    reasons: tuple[str, ...]


def validate(text: str, facts: Facts) -> Verdict:
    if len(text) > _MOST_CHARACTERS:
        return Verdict(accepted=False, reasons=(form.too_long.__name__,))
    subject = CheckedText.of(text, facts)
    reasons = tuple(code for code, broken in RULES.items() if broken(subject))
    return Verdict(accepted=not reasons, reasons=reasons)
