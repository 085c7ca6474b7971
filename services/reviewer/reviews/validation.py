"""The rules of a synthese: the right counts, and whole quotations with their source. Pure."""

from collections.abc import Iterator, Sequence

from services.reviewer.french.grammar import NBSP
from services.reviewer.reviews.selection import Selection, select
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.synthese import attribution, introduction, quotation
from services.reviewer.validation import RULES
from services.reviewer.validation.checked_text import CheckedText
from shared.sirene.facts import Facts

_OPEN = f"«{NBSP}"
# Rules for the sentences around the quotations. Customers may praise and blame in their words.
_FRAME_RULES = (
    "markup",
    "control_chars",
    "mojibake",
    "placeholder",
    "meta_talk",
    "refusal",
    "name_missing",
    "city_missing",
    "wrong_city",
    "first_person",
    "rating",
    "superlative",
    "recommendation",
    "price_claim",
    "health_claim",
    "certification_claim",
    "negative_claim",
    "sensitive",
    "profanity",
)


def validate_synthese(text: str, facts: Facts, sources: Sequence[Source]) -> tuple[str, ...]:
    """Return every reason against the text; `sources` are all of the establishment."""
    selection = select(facts, sources)
    frame: list[str] = []
    quoted: list[Source] = []
    reasons: dict[str, None] = {}
    for around, source, is_attributed in _parts(text, selection):
        frame.append(around)
        if source is None:
            continue
        quoted.append(source)
        if not is_attributed:
            reasons["quote_without_source"] = None
    reasons |= dict.fromkeys(_against_quotations(quoted, selection))
    said = "".join(frame)
    if _OPEN in said or "»" in said:
        reasons["quote_not_verbatim"] = None
    if said.strip() != introduction(facts, selection):
        reasons["wrong_count"] = None
    checked = CheckedText.of(said, facts)
    reasons |= {code: None for code in _FRAME_RULES if RULES[code](checked)}
    return tuple(reasons)


def _against_quotations(quoted: Sequence[Source], selection: Selection) -> Iterator[str]:
    if not quoted:
        yield "no_quote"
    if any(each not in selection.quoted for each in quoted):
        yield "not_quotable"
    elif len(quoted) != len(selection.quoted):
        yield "wrong_count"


def _parts(text: str, selection: Selection) -> Iterator[tuple[str, Source | None, bool]]:
    """Yield the text before each quotation, its source, and whether it is named; then the end."""
    position = 0
    while (start := text.find(_OPEN, position)) >= 0:
        rest = text[start:]
        source = _quoted_at(rest, selection)
        if source is None:
            # A quotation that no source holds stays in the frame, where a rule finds it.
            yield text[position : start + len(_OPEN)], None, False
            position = start + len(_OPEN)
            continue
        end = len(quotation(source.verbatim))
        told = f" {attribution(source)}"
        is_attributed = rest.startswith(told, end)
        yield text[position:start].rstrip(" "), source, is_attributed
        position = start + end + (len(told) if is_attributed else 0)
    yield text[position:], None, False


def _quoted_at(rest: str, selection: Selection) -> Source | None:
    """Return the source that `rest` begins with; of several with the same words, the named one."""
    found = [each for each in selection.counted if rest.startswith(quotation(each.verbatim))]
    named = (
        each
        for each in found
        if rest.startswith(f" {attribution(each)}", len(quotation(each.verbatim)))
    )
    return next(named, found[0] if found else None)
