"""Words that join statements and state nothing: « par ailleurs », « pour sa part »."""

from collections.abc import Sequence

from services.reviewer.validation.sentences.grammar import grammar
from services.reviewer.validation.sentences.matchers import Parse
from services.reviewer.validation.sentences.tokens import Mark

_CLAUSE_ENDS = frozenset({",", ";", ":", "-", "et"})
# A word that asks for another one: a connector may not part it from its noun.
_OPEN = frozenset(
    """à au aux avec ce ces cet cette chez comme dans de des du d' en et entre l' la le les leur
    leurs par pour qu' que s' sa selon ses son sous sur un une""".split()  # noqa: SIM905 a word list
) - {"et", "que"}


def without_connectors(tokens: Sequence[Mark]) -> list[Mark]:
    """Return the tokens without the connectors, and without the commas that set them off."""
    parse = grammar().parse([token.symbols for token in tokens])
    kept: list[Mark] = []
    place = 0
    while place < len(tokens):
        end = _connector_end(parse, kept, place)
        if end is None:
            kept.append(tokens[place])
            place += 1
            continue
        place = end
        if _text(tokens, place) == "," and (not kept or kept[-1].text in _CLAUSE_ENDS):
            place += 1
            if kept and kept[-1].text == "," and place < len(tokens):
                kept.pop()
    return kept


def _connector_end(parse: Parse, kept: Sequence[Mark], place: int) -> int | None:
    """Return where a connector ends that begins here, None where none does."""
    if kept and kept[-1].text.lower() in _OPEN:
        return None
    symbols = parse.symbols
    ends = grammar().ends("CONNECTEUR", parse, place)
    if not kept or kept[-1].text in _CLAUSE_ENDS:
        ends |= {
            end
            for end in grammar().ends("CONNECTEUR_TETE", parse, place)
            if end < len(symbols) and "," in symbols[end]
        }
    end = max(ends, default=None)
    # « ainsi que » joins things.
    if end is None or (end < len(symbols) and not _JOINING.isdisjoint(symbols[end])):
        return None
    return end


_JOINING = frozenset({"que", "qu'", ":"})


def _text(tokens: Sequence[Mark], place: int) -> str:
    return tokens[place].text if place < len(tokens) else ""
