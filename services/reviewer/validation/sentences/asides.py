"""Asides: words between commas, dashes or brackets, which are read apart from the rest.

So are words before the first comma. « En novembre 2026 » is an aside where the rest tells a count
of that month.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from services.reviewer.validation.sentences.grammar import grammar
from services.reviewer.validation.sentences.tokens import Mark
from services.reviewer.validation.sentences.told import facts_dated

_CLOSERS = {",": (",", ".", ";"), "-": ("-", "."), "(": (")",)}
_UNDATED = frozenset(
    """<min> <max> <zero> <apres_max> effectif effectifs salarié salariés agent agents personne
    personnes personnel employé employés collaborateur collaborateurs siège""".split()  # noqa: SIM905 a word list
)
"""Words of facts of which the year of the creation says nothing."""
_PLACES = frozenset({"commune", "voie", "code_postal"})
_BEGINNING = -1
_MOST = 3
"""Asides of one sentence that are tried alone."""


@dataclass(frozen=True, slots=True)
class Aside:
    """The places of the opening and the closing sign, and what the words between may tell."""

    start: int
    end: int
    readings: frozenset[frozenset[str]]


def without_asides(
    tokens: Sequence[Mark], flags: frozenset[str]
) -> Iterator[tuple[list[Mark], Sequence[Aside]]]:
    """Yield the tokens without asides, and these: all of them, then each of the first few."""
    asides = list(_asides(tokens, flags))
    if not asides:
        return
    for gone in (asides, *([one] for one in asides[:_MOST] if len(asides) > 1)):
        yield list(_left(tokens, gone, keeps_comma=False)), gone
        yield list(_left(tokens, gone, keeps_comma=True)), gone


def meanings(
    readings: Iterable[frozenset[str]], asides: Iterable[Aside], last: int, flags: frozenset[str]
) -> frozenset[frozenset[str]]:
    """Return what a sentence tells with its asides: a date has its fact in the rest.

    `last` is the place of the last token. A place before or after the rest is that of all that
    the rest counts.
    """
    told = frozenset(readings)
    for aside in asides:
        told = frozenset(
            rest | one
            for rest in told
            for one in aside.readings
            if all(fact in rest for fact in facts_dated(one))
            and not (_frames(aside, one, last) and _is_elsewhere(rest, flags))
        )
    return told


def _frames(aside: Aside, told: frozenset[str], last: int) -> bool:
    return (aside.start == 0 or aside.end == last) and not told.isdisjoint(_PLACES)


def _is_elsewhere(told: frozenset[str], flags: frozenset[str]) -> bool:
    """Return whether a sentence counts the employees or the places of a unit that has others."""
    of_unit = "effectif_unite" in told and "effectif" not in told and "ensemble" in flags
    return of_unit or ("etablissements" in told and "une_commune" not in flags)


def _asides(tokens: Sequence[Mark], flags: frozenset[str]) -> Iterator[Aside]:
    symbols = [token.symbols for token in tokens]
    parse = grammar().parse(symbols, flags)
    dated = all(_UNDATED.isdisjoint(one) for one in symbols)
    rules = ("ASIDE", "ASIDE_COMPTE", "ASIDE_DATE") if dated else ("ASIDE", "ASIDE_COMPTE")
    place = _BEGINNING
    while place < len(tokens) - 2:
        closers = (",",) if place == _BEGINNING else _CLOSERS.get(_sign(tokens[place]), ())
        closed: dict[int, frozenset[frozenset[str]]] = {}
        for rule in rules if closers else ():
            found = grammar().readings_by_end(rule, parse, place + 1)
            for last, readings in found.items():
                # A place may take its comma with it.
                end = last - (_sign(tokens[last - 1]) == ",")
                if end < len(tokens) and _sign(tokens[end]) in closers:
                    closed[end] = closed.get(end, frozenset()) | readings
        if closed:
            end = max(closed)
            yield Aside(max(place, 0), end, closed[end])
            place = end
        else:
            place += 1


def _left(tokens: Sequence[Mark], asides: Sequence[Aside], *, keeps_comma: bool) -> Iterator[Mark]:
    place = 0
    for aside in asides:
        yield from tokens[place : aside.start]
        closer = _sign(tokens[aside.end])
        # The end of the sentence stays, and so does the comma after a frame.
        stays = closer in {".", ";"} or (keeps_comma and closer == ",")
        place = aside.end if stays else aside.end + 1
    yield from tokens[place:]


def _sign(token: Mark) -> str:
    return "-" if "-" in token.symbols else token.text
