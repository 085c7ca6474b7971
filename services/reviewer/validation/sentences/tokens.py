"""The tokens of a text, with their symbols: the word itself, and what it is among the facts."""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from services.reviewer.french.folding import fold, stem
from services.reviewer.validation.literals import Literal
from services.reviewer.validation.masking import FoundFact
from services.reviewer.validation.numbers import WORDS, read_digits, value_of
from services.reviewer.validation.sentences.activity import ActivityWords
from services.reviewer.validation.sentences.grammar import grammar
from services.reviewer.validation.sentences.lexis import Lexis

_TOKEN = re.compile(
    r"\d{2}\.\d{2}[A-Z]|(?i:rév)\.(?=[ \u00a0]\d)|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+"
    r"|(?i:aujourd|[ldnsjcmt]|qu|jusqu|lorsqu|puisqu|quelqu)['’]"
    r"|[^\W\d_]+(?:-[^\W\d_]+)*|\.{3}|\S"
)
_SIGNS = {
    "(": "<par>",
    ")": "<fin_par>",
    "...": "…",
    "–": "-",
    "—": "-",
    "“": "«",
    "”": "»",
    "?": "<question>",
}
DISAGREES = "<desaccord>"
"""The symbol of a word of the activity that does not agree with the word before it."""
_COMMUNE = frozenset({"<commune>"})
_CONTRACTED = {"au": "a", "aux": "a", "du": "de", "des": "de"}
_BREAKS = frozenset(".!?…;:")
_SIREN_DIGITS = 9
_APE = re.compile(r"\d{2}\.\d{2}[A-Z]")
_NAMES = frozenset({"<nom>", "<etab>", "<unite>", "<enseigne>", "<sigle>", "<ancienne_enseigne>"})
_NO_SYMBOLS: frozenset[str] = frozenset()
_MONTHS = {
    "date": "<mois>",
    "date_unite": "<mois_unite>",
    "jour_activite": "<mois_activite>",
    "jour_enseigne": "<mois_enseigne>",
    "veille_activite": "<mois_veille_activite>",
    "veille_enseigne": "<mois_veille_enseigne>",
    "jour_avant": "<mois_avant>",
    "jour_apres": "<mois_apres>",
}
"""The symbols of the month of a day, where no day is told."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`symbols` are what a grammar may call it; `start` and `end` are places in the text."""

    text: str
    symbols: frozenset[str]
    start: int
    end: int


def tokens_of(text: str, lexis: Lexis, facts: Sequence[FoundFact]) -> list[Mark]:
    """Return the tokens; a span that equals a fact is one token."""
    tokens: list[Mark] = []
    position = 0
    for start, end, symbols in _spans(facts, lexis):
        tokens += _words(text, position, start, lexis, begins=not tokens)
        words = text[start:end]
        own = _word_symbols(words, words.lower(), lexis) if " " not in words else frozenset()
        if "<libelle>" in symbols and words.split()[0].lower() in lexis.activity.verbs:
            # « Elle collecte des déchets non dangereux » has the words of a label too.
            own |= {"<acte_libelle>"}
        tokens.append(Mark(words, symbols | own, start, end))
        position = end
    tokens += _words(text, position, len(text), lexis, begins=not tokens)
    tokens = list(_without_quotes(tokens))
    for place, token in enumerate(tokens):
        if not token.symbols and (place == 0 or tokens[place - 1].text in _BREAKS):
            tokens[place] = replace(token, symbols=_local_adjective(token.text.lower(), lexis))
    for place in _disagreements(tokens, lexis.activity):
        tokens[place] = replace(tokens[place], symbols=tokens[place].symbols | {DISAGREES})
    return tokens


def _without_quotes(tokens: list[Mark]) -> Iterator[Mark]:
    """Yield the tokens, a name in quotes as the name."""
    place = 0
    while place < len(tokens):
        around = tokens[place : place + 3]
        signs = [_SIGNS.get(token.text, token.text) for token in around]
        if signs[0] == "«" and signs[2:] == ["»"] and not _NAMES.isdisjoint(around[1].symbols):
            yield replace(around[1], start=around[0].start, end=around[2].end)
            place += 3
        else:
            yield tokens[place]
            place += 1


def _disagreements(tokens: list[Mark], activity: ActivityWords) -> Iterator[int]:
    """Yield the places of words that follow another in the label too, but in its number."""
    stems = [_root(token.text) for token in tokens] if activity.pairs else []
    for place, pair in enumerate(pairwise(stems)):
        first, second = tokens[place], tokens[place + 1]
        if pair in activity.pairs and _is_plural(first.text) is not _is_plural(second.text):
            yield place + 1


@functools.lru_cache(maxsize=4096)
def _root(word: str) -> str:
    return stem(fold(word))


def _is_plural(word: str) -> bool:
    return word[-1] in "sx"


def _spans(facts: Sequence[FoundFact], lexis: Lexis) -> list[tuple[int, int, frozenset[str]]]:
    symbols: dict[tuple[int, int], set[str]] = {}
    for found in facts:
        place = (found.span.start, found.span.end)
        symbols.setdefault(place, set()).update(_symbols(found.literal, lexis))
    kept: list[tuple[int, int, frozenset[str]]] = []
    for start, end in sorted(symbols, key=lambda place: (place[0], -place[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, frozenset(symbols[start, end])))
    return kept


def _symbols(literal: Literal, lexis: Lexis) -> frozenset[str]:
    kind, folded = literal.kind, literal.folded
    if kind in {"nom", "autre_nom"}:
        return lexis.names.get(folded, lexis.own_name)
    if kind in _MONTHS and not folded[0].isdigit():
        return frozenset({_MONTHS[kind]})
    found = frozenset({_symbol(kind, folded, lexis)})
    # The town of an arrondissement is not the place of its counts.
    if found == _COMMUNE and folded != lexis.town:
        found |= {"<commune_entiere>"}
    return found


def _symbol(kind: str, folded: str, lexis: Lexis) -> str:
    match kind:
        case "commune":
            return _commune_symbol(folded, lexis.known.commune or "")
        case "commune_avant" if (article := folded.partition(" ")[0]) in _CONTRACTED:
            return f"<{_CONTRACTED[article]}_commune_avant>"
        case "identifiant":
            digits = len(folded.replace(" ", ""))
            return "<siret>" if digits > _SIREN_DIGITS else "<siren>"
        case "activite":
            return "<libelle>"
        case "voie_sans_numero" | "voie_avant_sans_numero":
            return f"<{kind.removesuffix('_sans_numero')}>"
    return f"<{kind}>"


def _commune_symbol(folded: str, commune: str) -> str:
    """Return a symbol that tells which preposition the place has, or still needs."""
    own = fold(commune)
    if folded.partition(" ")[2] == "arrondissement":
        return "<arrondissement>"
    if folded.startswith(("au ", "aux ")) and not own.startswith(("au ", "aux ")):
        return "<a_commune>"
    if folded.startswith(("du ", "des ")) and not own.startswith(("du ", "des ")):
        return "<de_commune>"
    return "<commune_le>" if folded.startswith(("le ", "les ")) else "<commune>"


def _words(text: str, start: int, end: int, lexis: Lexis, *, begins: bool) -> Iterator[Mark]:
    found = list(_TOKEN.finditer(text, start, end))
    place = 0
    while place < len(found):
        match = found[place]
        run = _number_words(found, place)
        if run > 0:
            first, last = found[place], found[place + run - 1]
            number = value_of(fold(text[first.start() : last.end()]))
            symbols = _number_symbols(number, lexis)
            if run == 1:
                symbols |= {match.group().lower()}
            yield Mark(text[first.start() : last.end()], symbols, first.start(), last.end())
            place += run
            continue
        word = match.group()
        small = _small(word, begins=begins and place == 0)
        yield Mark(word, _word_symbols(word, small, lexis), match.start(), match.end())
        place += 1


def _small(word: str, *, begins: bool) -> str:
    """Return the word as the table spells it; a sentence may begin with a capital A for À."""
    small = _SIGNS.get(word, word.replace("’", "'").lower())
    return "à" if begins and word == "A" else small


def _number_words(found: list[re.Match[str]], place: int) -> int:
    """Return how many tokens from this place on are one number in letters."""
    run = 0
    while place + run < len(found):
        word = found[place + run].group()
        joined = run > 0 and word.lower() == "et" and place + run + 1 < len(found)
        if _is_of_a_number(word) or (
            joined and found[place + run + 1].group().lower() in {"un", "une", "onze"}
        ):
            run += 1
        else:
            break
    return 0 if run == 1 and found[place].group().lower() in {"un", "une"} else run


@functools.lru_cache(maxsize=4096)
def _is_of_a_number(word: str) -> bool:
    parts = [fold(part) for part in word.split("-")]
    return all(part in WORDS or (len(parts) > 1 and part == "et") for part in parts)


def _number_symbols(number: int, lexis: Lexis) -> frozenset[str]:
    return lexis.numbers.get(number, _NO_SYMBOLS) | {"<nombre>"}


def _word_symbols(word: str, small: str, lexis: Lexis) -> frozenset[str]:
    if word[0].isdigit() and re.fullmatch(r"[\d\s]+", word):
        symbols = _number_symbols(read_digits(re.sub(r"\s", "", word)), lexis)
        if not word.isdigit():
            symbols -= lexis.years
        own = frozenset({word} & grammar().words)
        if word in lexis.activity.numbers:
            own |= {"<mot>"}
        own |= {"<numero_departement>"} if word == lexis.departement else _NO_SYMBOLS
        return symbols | own
    if _APE.fullmatch(word):
        return lexis.codes.get(word, frozenset())
    found = {symbol for symbol, words in lexis.words if small in words}
    if small in grammar().words:
        found.add(small)
    if small in {"un", "une"}:
        found |= lexis.numbers.get(1, _NO_SYMBOLS)
    if not found and word in lexis.short_names:
        found = set(lexis.own_name)
    if not found and word.islower():
        return _local_adjective(word, lexis)
    return frozenset(found)


def _local_adjective(small: str, lexis: Lexis) -> frozenset[str]:
    place = lexis.places.place_of(small)
    return frozenset() if place is None else frozenset({"<gentile>", place})
