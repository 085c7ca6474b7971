"""Asides: words between commas, dashes or brackets, which are read apart from the rest."""

from collections.abc import Iterator, Sequence

from services.reviewer.validation.sentences.grammar import grammar
from services.reviewer.validation.sentences.tokens import Mark

_CLOSERS = {",": (",", ".", ";"), "-": ("-", "."), "(": (")",)}
_UNDATED = frozenset(
    """<min> <max> <zero> <apres_max> effectif effectifs salarié salariés agent agents personne
    personnes personnel employé employés collaborateur collaborateurs siège""".split()  # noqa: SIM905 a word list
)
"""Words of facts of which the year of the creation says nothing."""
_MOST = 3
"""Asides of one sentence that are tried alone."""


def without_asides(tokens: Sequence[Mark], flags: frozenset[str]) -> Iterator[list[Mark]]:
    """Yield the tokens without their asides: without all, then without each of the first few."""
    asides = list(_asides(tokens, flags))
    if not asides:
        return
    for gone in (asides, *([one] for one in asides[:_MOST] if len(asides) > 1)):
        yield list(_left(tokens, gone, keeps_comma=False))
        yield list(_left(tokens, gone, keeps_comma=True))


def _asides(tokens: Sequence[Mark], flags: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Yield the place of each opening sign, and that of the sign that closes."""
    symbols = [token.symbols for token in tokens]
    dated = all(_UNDATED.isdisjoint(one) for one in symbols)
    place = 1
    while place < len(tokens) - 2:
        closers = _CLOSERS.get(_sign(tokens[place]), ())
        ends = grammar().ends("ASIDE", symbols, place + 1, flags) if closers else frozenset()
        if closers and dated:
            ends |= grammar().ends("ASIDE_DATE", symbols, place + 1, flags)
        # A place may take its comma with it.
        closed = [end - (_sign(tokens[end - 1]) == ",") for end in ends]
        closed = [end for end in closed if end < len(tokens) and _sign(tokens[end]) in closers]
        if closed:
            end = max(closed)
            yield place, end
            place = end
        else:
            place += 1


def _left(
    tokens: Sequence[Mark], asides: Sequence[tuple[int, int]], *, keeps_comma: bool
) -> Iterator[Mark]:
    place = 0
    for start, end in asides:
        yield from tokens[place:start]
        closer = _sign(tokens[end])
        # The end of the sentence stays, and so does the comma after a frame.
        place = end if closer in {".", ";"} or (keeps_comma and closer == ",") else end + 1
    yield from tokens[place:]


def _sign(token: Mark) -> str:
    return "-" if "-" in token.symbols else token.text
