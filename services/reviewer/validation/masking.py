"""The mask over a text's facts. Forbidden patterns are looked for in the rest only.

Without the mask, LE MEILLEUR DU PAIN would be refused for its own name.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from services.reviewer.french.folding import Folded, Token, tokenise
from services.reviewer.validation.known import JOINERS, Known
from services.reviewer.validation.literals import UNMASKED, Literal

MASK = "¤"
# Idioms that sound like a place: « au cœur de son activité », « X est au centre de l'activité ».
_IDIOM = re.compile(
    r"\bau (?:coeur|centre) "
    r"(?:de (?:son |leur |cette |l')?activite|des (?:ses )?activites|du metier)\b"
    r"|\bsont au (?:coeur|centre)(?= d)"
)
_SENTENCE_END = re.compile(r"[.!?]\s")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of the normalised text."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Masked:
    """`found` has the kind of every fact in the text, even inside a longer fact.

    An activity inside a name does not count.
    """

    rest: str
    spans: tuple[Span, ...]
    found: frozenset[str]


@dataclass(frozen=True, slots=True)
class FoundFact:
    """A wording of a fact, and where the text has it."""

    literal: Literal
    span: Span


_PARTS_JOINED = str.maketrans("-'", "  ")
_NAMES = frozenset({"nom", "autre_nom"})


def find_facts(text: str, folded: Folded, known: Known) -> list[FoundFact]:
    """Return the facts of the text; AUTO ECOLE DU PORT is also « Auto-école du Port »."""
    loose = replace(folded, text=folded.text.translate(_PARTS_JOINED))
    return [
        FoundFact(literal, span)
        for literal in known.literals
        for span in _occurrences(text, loose if literal.kind in _NAMES else folded, literal)
    ]


def mask(text: str, folded: Folded, known: Known, facts: Sequence[FoundFact]) -> Masked:
    literals = [found.span for found in facts if found.literal.kind not in UNMASKED]
    idioms = [
        Span("idiom", folded.origins[found.start()], folded.origins[found.end() - 1] + 1)
        for found in _IDIOM.finditer(folded.text)
    ]
    spans = _without_overlap([*literals, *idioms])
    spans = _without_overlap([*spans, *_activity_runs(text, spans, known)])
    names = [span for span in literals if span.kind in {"nom", "autre_nom"}]
    # AMBULANCES DU VAL says nothing about the activity: a name may be of any trade.
    found = {
        span.kind
        for span in literals
        if span.kind != "activite"
        or not any(name.start <= span.start and span.end <= name.end for name in names)
    }
    return Masked(cover(text, spans), tuple(spans), frozenset(found))


def _occurrences(text: str, folded: Folded, item: Literal) -> Iterator[Span]:
    wording = item.folded.translate(_PARTS_JOINED) if item.kind in _NAMES else item.folded
    position = folded.text.find(wording)
    while position >= 0:
        end = position + len(wording)
        start_in_text = folded.origins[position]
        end_in_text = folded.origins[end - 1] + 1
        if _stands_alone(folded.text, position, end, hyphens_join=item.hyphens_join) and (
            not item.capitalised or _has_capital(text[start_in_text:end_in_text])
        ):
            yield Span(item.kind, start_in_text, end_in_text)
        position = folded.text.find(wording, position + 1)


def _stands_alone(folded: str, start: int, end: int, *, hyphens_join: bool) -> bool:
    before, after = folded[start - 1 : start], folded[end : end + 1]
    if before.isalnum() and folded[start].isalnum():
        return False
    if after.isalnum() and folded[end - 1].isalnum():
        return False
    return not (
        hyphens_join
        and (
            (before == "-" and folded[start - 2 : start - 1].isalnum())
            or (after == "-" and folded[end + 1 : end + 2].isalnum())
        )
    )


def _has_capital(words: str) -> bool:
    return any(character.isupper() or character.isdigit() for character in words)


def _activity_runs(text: str, taken: list[Span], known: Known) -> Iterator[Span]:
    """Yield runs of the activity's own words, with the articles and prepositions between them.

    « l'entretien et la réparation de véhicules » equals "Entretien et réparation de véhicules".
    """
    run: list[Token] = []
    covered = cover(text, taken)
    for token in (*tokenise(covered), None):
        if token is not None and known.is_activity_word(token.folded):
            between = covered[run[-1].end : token.start] if run else ""
            # « … (services marchands). La création de l'établissement »: two sentences, two runs.
            if MASK in between or _SENTENCE_END.search(between):
                yield Span("activite", run[0].start, run[-1].end)
                run = []
            run.append(token)
        elif token is None or token.folded not in JOINERS:
            if run:
                yield Span("activite", run[0].start, run[-1].end)
            run = []


def _without_overlap(spans: Iterable[Span]) -> list[Span]:
    """Keep the leftmost spans, and the longest of those that start together."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def cover(text: str, spans: Iterable[Span]) -> str:
    """Return the text with the spans masked. Its length stays, so that positions stay valid."""
    characters = list(text)
    for span in spans:
        characters[span.start : span.end] = MASK * (span.end - span.start)
    return "".join(characters)
