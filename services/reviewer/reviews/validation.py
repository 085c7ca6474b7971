"""The rules of a synthese: the right count, and quotations word for word with their source."""

from collections.abc import Iterator, Sequence

from services.reviewer.french.grammar import NBSP, date_en_lettres, nombre
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.synthese import cut
from services.reviewer.validation import RULES
from services.reviewer.validation.checked_text import CheckedText
from shared.sirene.facts import Facts

_OPEN, _CLOSE = f"«{NBSP}", f"{NBSP}»"
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
    frame: list[str] = []
    reasons: dict[str, None] = {}
    quoted = 0
    for around, source, is_attributed in _parts(text, sources):
        frame.append(around)
        if source is None:
            continue
        quoted += 1
        if not is_attributed:
            reasons["quote_without_source"] = None
    said = "".join(frame)
    if _OPEN in said or "»" in said:
        reasons["quote_not_verbatim"] = None
    if not quoted:
        reasons["no_quote"] = None
    first_word = said.lstrip().split(" ", 1)[0]
    if first_word != ("Un" if len(sources) == 1 else nombre(len(sources))):
        reasons["wrong_count"] = None
    checked = CheckedText.of(said, facts)
    reasons |= {code: None for code in _FRAME_RULES if RULES[code](checked)}
    return tuple(reasons)


def _parts(text: str, sources: Sequence[Source]) -> Iterator[tuple[str, Source | None, bool]]:
    """Yield the text before each quotation, its source, and whether it is named; then the end."""
    position = 0
    while (start := text.find(_OPEN, position)) >= 0:
        rest = text[start + len(_OPEN) :]
        source = next((s for s in sources if rest.startswith(cut(s.verbatim) + _CLOSE)), None)
        if source is None:
            # A quotation that no source holds stays in the frame, where a rule finds it.
            yield text[position : start + len(_OPEN)], None, False
            position = start + len(_OPEN)
            continue
        after = rest[len(cut(source.verbatim) + _CLOSE) :]
        attribution = _attribution(after, source)
        yield text[position:start], source, attribution is not None
        position = len(text) - len(after) + len(attribution or "")
    yield text[position:], None, False


def _attribution(after: str, source: Source) -> str | None:
    """Return the parenthesis with author, date and licence after a quotation; None without it."""
    told = f" ({source.author_label}, avis publié le {date_en_lettres(source.published_on)}, "
    end = f", {source.licence})."
    if not after.startswith(told) or end not in after:
        return None
    return after[: after.index(end) + len(end)]
