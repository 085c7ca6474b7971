"""The verdict on a text: every reason why it may not be published. Pure.

normalise → mask the facts → forbidden patterns in the rest → grounding. The comparison with other
texts of a commune and activity (`exact_duplicate`, `near_duplicate`) needs the database: it happens
when a text is stored.

Some codes overlap by nature, so that one fault may earn either: `prompt_leak`, `meta_talk`,
`injection_suspect` and `refusal` (the writer speaks of its task); `fake_experience`, `superlative`
and `negative_claim` (an opinion); `certification_claim` and `ungrounded_entity` (a label with a
name). One reason is enough to keep a text from being published.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from services.reviewer.validation import form, grounding, injection, law
from services.reviewer.validation.checked_text import NOTHING, CheckedText, normalise
from services.reviewer.validation.sentences.declarations import (
    FACTS_MISNAMED,
    DeclaredSentence,
    facts_misnamed,
)
from shared.sirene.facts import Facts

Rule = Callable[[CheckedText], bool]

_FORM: tuple[Rule, ...] = (
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
    form.grammar,
    form.all_caps,
    form.malformed_json,
    form.refusal,
)
_GROUNDING: tuple[Rule, ...] = (
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
    grounding.undated_fact,
    grounding.existence_claim,
    grounding.age_told,
    grounding.ungrounded_entity,
    grounding.ungrounded_terms,
)
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        **{rule.__name__: rule for rule in (*_FORM, *_GROUNDING)},
        **law.RULES,
        "injection_suspect": injection.injection_suspect,
    }
)
"""Each rule by its reason code, in the order in which reasons are reported."""

# A text that is understood to its end says nothing that the other rules could forbid.
_ON_WHOLE_TEXTS = {
    rule.__name__: rule
    for rule in (
        *_FORM,
        grounding.name_missing,
        grounding.city_missing,
        grounding.activity_missing,
        grounding.undated_fact,
    )
}

GROUNDING = frozenset(rule.__name__ for rule in _GROUNDING)
"""The codes of texts that say what is no fact, or that leave out a fact."""

_MOST_CHARACTERS = 10_000
"""Several times the longest text that may be published. A server may send a megabyte: rules that
compare words with words would take hours for it."""

_MOST_WORDS_QUOTED = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """The codes against a text; none for a text that may be published.

    `own_words` are words of a refused text that no fact and no statement of a fact has, in small
    letters. They are a model's own: a name or a place of the facts is never among them.
    """

    reasons: tuple[str, ...] = ()
    own_words: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.reasons


def validate(text: str, facts: Facts, declared: Sequence[DeclaredSentence] = ()) -> Verdict:
    """Return the verdict with all reason codes against the text.

    `declared` are its sentences with the facts that its author says they use, where it says so.
    """
    if len(text) > _MOST_CHARACTERS:
        return Verdict((form.too_long.__name__,))
    checked = CheckedText.of(text, facts)
    rules = _ON_WHOLE_TEXTS if checked.unread is NOTHING else RULES
    reasons = tuple(code for code, broken in rules.items() if broken(checked))
    normalised = [replace(one, text=normalise(one.text)) for one in declared]
    if facts_misnamed(normalised, checked.sentences, facts):
        reasons += (FACTS_MISNAMED,)
    return Verdict(reasons, _own_words(checked) if reasons else ())


def _own_words(checked: CheckedText) -> tuple[str, ...]:
    unread = (one for one in checked.sentences if not one.understood)
    words = (mark.text.lower() for one in unread for mark in one.tokens if not mark.symbols)
    return tuple(dict.fromkeys(word for word in words if word.isalpha()))[:_MOST_WORDS_QUOTED]
