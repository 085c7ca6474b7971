"""The tokens of a text, with their symbols: the word itself, and what it is among the facts."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from services.reviewer.french.data import formes_juridiques
from services.reviewer.french.folding import fold, stem
from services.reviewer.french.labels import clean_name, readable_activite
from services.reviewer.french.names import wordings
from services.reviewer.validation.known import Known, Literal, form_labels, without_form
from services.reviewer.validation.masking import FoundFact
from services.reviewer.validation.numbers import WORDS, value_of
from services.reviewer.validation.sentences.activity import ActivityWords, activity_words
from services.reviewer.validation.sentences.appellations import appellations
from services.reviewer.validation.sentences.grammar import grammar
from services.reviewer.validation.sentences.natures import natures
from services.reviewer.validation.sentences.places import LocalAdjectives, places_of
from shared.sirene.facts import Facts
from shared.sirene.names.lexicon import french
from shared.sirene.reference import libelles_de

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
_BREAKS = frozenset(".!?…;:")
_SIREN_DIGITS = 9
_APE = re.compile(r"\d{2}\.\d{2}[A-Z]")


@dataclass(frozen=True, slots=True)
class Mark:
    """`symbols` are what a grammar may call it; `start` and `end` are places in the text."""

    text: str
    symbols: frozenset[str]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lexis:
    """The words that the facts allow, computed once for a text.

    `words` are the words of each symbol of the grammar, `names` are the symbols of names.
    """

    known: Known
    activity: ActivityWords
    places: LocalAdjectives
    words: tuple[tuple[str, frozenset[str]], ...]
    codes: Mapping[str, frozenset[str]]
    flags: frozenset[str]
    names: Mapping[str, frozenset[str]]
    short_names: frozenset[str]
    own_name: frozenset[str]
    years: frozenset[str]
    departement: str | None

    @classmethod
    def of(cls, facts: Facts, known: Known) -> "Lexis":
        label = readable_activite(clean_name(facts.activite or ""))
        activity, names = activity_words(label), _names(facts)
        return cls(
            known=known,
            activity=activity,
            places=places_of(known.commune, facts.departement),
            words=(
                ("<tete>", activity.heads),
                ("<mot>", activity.words),
                ("<apres_non>", activity.negated),
                ("<acte>", activity.verbs),
                ("<metier>", activity.trades),
                ("<sorte>", natures(form_labels(facts))),
                ("<mot_forme>", _form_words(facts)),
                ("<appellation>", appellations(facts.nom)),
            ),
            codes=_codes(label),
            flags=frozenset(_flags(facts, known, activity)),
            names=names,
            short_names=frozenset(_short_names(facts.nom)),
            own_name=names.get(fold(clean_name(facts.nom)), frozenset({"<nom>"})),
            years=frozenset(_years(facts)),
            departement=facts.departement,
        )


def _flags(facts: Facts, known: Known, activity: ActivityWords) -> Iterator[str]:
    """Yield the conditions of the grammar that hold."""
    is_siege = facts.est_siege or facts.siret == ""
    conditions = {
        "siege": is_siege,
        "secondaire": not is_siege,
        "nul": known.bounds == frozenset({0}),
        "muet": known.bounds is None,
        "individuel": "ei" in known.forms,
        "morale": "ei" not in known.forms and bool(known.forms),
        "collectivite": any(re.search("commune|collectivite", one) for one in form_labels(facts)),
        "location": "location" in activity.heads,
        "detail": "vente" in activity.heads and "détail" in activity.words,
        "hors_rcs": "non immatriculee" in fold(facts.forme or ""),
        "double": facts.denomination is not None and fold(facts.denomination) != fold(facts.nom),
    }
    yield from (name for name, holds in conditions.items() if holds)


def _short_names(nom: str) -> Iterator[str]:
    """Yield the words of the name that are names alone: KERVELLA of PLOMBERIE KERVELLA."""
    for word in re.findall(r"[^\W\d_]{4,}", nom):
        if french(word) is None:
            yield from (word, word.capitalize())


def _years(facts: Facts) -> Iterator[str]:
    if facts.annee_creation is not None:
        yield str(facts.annee_creation)
    if facts.date_creation is not None:
        yield str(facts.date_creation.year)


def _form_words(facts: Facts) -> frozenset[str]:
    known = formes_juridiques().get(facts.categorie_juridique or "")
    labels = (facts.forme or "", "" if known is None else known.libelle)
    return frozenset(word.lower() for text in labels for word in re.findall(r"[^\W\d_]{3,}", text))


@functools.lru_cache(maxsize=4096)
def _codes(label: str) -> Mapping[str, frozenset[str]]:
    """Return the codes that have this label, with a symbol for their nomenclature."""
    found: dict[str, frozenset[str]] = {}
    for code, symbol in _codes_by_label().get(fold(label), ()):
        found[code] = found.get(code, frozenset({"<ape>"})) | {symbol}
    return MappingProxyType(found)


@functools.cache
def _codes_by_label() -> Mapping[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for nomenclature, symbol in (("NAFRev2", "<ape_2>"), ("NAF2025", "<ape_2025>")):
        for code, text in libelles_de(nomenclature).items():
            label = fold(readable_activite(clean_name(text)))
            found.setdefault(label, []).append((code, symbol))
    return MappingProxyType(found)


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
    for place, token in enumerate(tokens):
        if not token.symbols and (place == 0 or tokens[place - 1].text in _BREAKS):
            tokens[place] = replace(token, symbols=_local_adjective(token.text.lower(), lexis))
    for place in _disagreements(tokens, lexis.activity):
        tokens[place] = replace(tokens[place], symbols=tokens[place].symbols | {DISAGREES})
    return tokens


def _disagreements(tokens: list[Mark], activity: ActivityWords) -> Iterator[int]:
    """Yield the places of words that follow another in the label too, but in its number."""
    for place, (first, second) in enumerate(pairwise(tokens)):
        pair = (stem(fold(first.text)), stem(fold(second.text)))
        if pair in activity.pairs and _is_plural(first.text) is not _is_plural(second.text):
            yield place + 1


def _is_plural(word: str) -> bool:
    return word[-1] in "sx"


def _names(facts: Facts) -> Mapping[str, frozenset[str]]:
    """Return what each name is, by its folded wording: a denomination may also be the enseigne."""
    double = facts.denomination is not None and fold(facts.denomination) != fold(facts.nom)
    found: dict[str, frozenset[str]] = {}
    for name, symbol in (
        (facts.nom, "<etab>" if double else "<nom>"),
        (facts.denomination, "<unite>"),
        (facts.enseigne, "<enseigne>"),
        (facts.sigle, "<sigle>"),
    ):
        for cleaned in map(fold, wordings(name or "", facts)):
            bare = re.sub(r"^\W+|\W+$", "", cleaned)
            for wording in (cleaned, bare, without_form(bare)):
                found[wording] = found.get(wording, frozenset()) | {symbol}
    return found


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
    folded = literal.folded
    match literal.kind:
        case "nom" | "autre_nom":
            return lexis.names.get(folded, lexis.own_name)
        case "commune":
            return frozenset({_commune_symbol(folded, lexis.known.commune or "")})
        case "date":
            return frozenset({"<date>" if folded[0].isdigit() else "<mois>"})
        case "identifiant":
            digits = len(folded.replace(" ", ""))
            return frozenset({"<siret>" if digits > _SIREN_DIGITS else "<siren>"})
        case "activite":
            return frozenset({"<libelle>"})
    return frozenset({f"<{literal.kind}>"})


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
        parts = [fold(part) for part in found[place + run].group().split("-")]
        joined = run > 0 and parts == ["et"] and place + run + 1 < len(found)
        if (joined and fold(found[place + run + 1].group()) in {"un", "une", "onze"}) or all(
            part in WORDS or (len(parts) > 1 and part == "et") for part in parts
        ):
            run += 1
        else:
            break
    return 0 if run == 1 and found[place].group().lower() in {"un", "une"} else run


def _number_symbols(number: int, lexis: Lexis) -> frozenset[str]:
    bounds = lexis.known.bounds or frozenset()
    symbols = {"<nombre>"}
    if bounds and number == min(bounds):
        symbols.add("<min>")
    if bounds and number == max(bounds):
        symbols.add("<max>")
    if bounds and number == max(bounds) + 1:
        symbols.add("<apres_max>")
    if number == 0 and bounds == frozenset({0}):
        symbols.add("<zero>")
    if str(number) in lexis.years:
        symbols.add("<annee>")
    return frozenset(symbols)


def _word_symbols(word: str, small: str, lexis: Lexis) -> frozenset[str]:
    if re.fullmatch(r"[\d\s]+", word):
        symbols = _number_symbols(int(re.sub(r"\s", "", word)), lexis)
        if not word.isdigit():
            symbols -= {"<annee>"}
        own = frozenset({word} & grammar().words)
        if word in lexis.activity.numbers:
            own |= {"<mot>"}
        return symbols | own | ({"<numero_departement>"} if word == lexis.departement else set())
    if _APE.fullmatch(word):
        return lexis.codes.get(word, frozenset())
    found = {symbol for symbol, words in lexis.words if small in words}
    if small in grammar().words:
        found.add(small)
    if small in {"un", "une"} and 1 in (lexis.known.bounds or ()):
        found.add("<min>")
    if not found and word in lexis.short_names:
        found = set(lexis.own_name)
    if not found and word.islower():
        return _local_adjective(word, lexis)
    return frozenset(found)


def _local_adjective(small: str, lexis: Lexis) -> frozenset[str]:
    place = lexis.places.place_of(small)
    return frozenset() if place is None else frozenset({"<gentile>", place})
