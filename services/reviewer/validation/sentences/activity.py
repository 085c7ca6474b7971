"""The words by which an activity may be told: those of its label, their forms and their verbs."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from services.reviewer.french.data import read_lines
from services.reviewer.french.folding import fold, stem
from services.reviewer.validation.known import EXCEPTION, trades_by_label
from services.reviewer.validation.sentences.notation import inflections

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LISTED = re.compile(r"(,| et| ou| d[eu]s?| d[’']| l[’']) ?([^\W\d_]+(?:-[^\W\d_]+)*)")
_NEGATED = re.compile(r"\b[Nn]on[ -](\w+)")
_EMPTY = frozenset(
    """à au aux avec ce d dans de des du en et hors la le les leur leurs l ne non ou par
    pour qu que sans se ses son sur tous toutes un une""".split()  # noqa: SIM905 a word list
)
_GENERIC_HEAD = re.compile(
    r"(?:Autres? )?(?:Activités?|Services?|Travaux|Autres|Autre)\b"
    r"(?: liées? (?:à|aux)| d[eu]s?\b| d[’']| de la\b|)"
)
_WARES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "commerce": frozenset({"produits", "articles"}),
        "commerces": frozenset({"produits", "articles"}),
        "installation": frozenset({"systèmes", "matériel", "matériels"}),
        "travaux": frozenset({"bâtiments", "bâtiment"}),
    }
)
"""Words for what the work of a head noun is done on: « vente de produits alimentaires »."""
_SHORT = 3
_HEAD_ENDINGS = ("age", "tion", "ment", "erie", "ure", "xion", "nage", "sion")
_HEADS = frozenset(
    """accueil activités affrètement ateliers avocat camping commerce conseil courtage élevage
    entretien études hébergement location-bail parcs pêche recherche soins services stockage
    transports travaux vente boulangerie-pâtisserie""".split()  # noqa: SIM905 a word list
)
_ENDINGS = (
    ("s", ""), ("", "s"), ("x", ""), ("al", "aux"), ("aux", "al"), ("aux", "ale"),
    ("aux", "ales"), ("al", "ale"), ("ale", "al"),
    ("er", "ère"), ("ère", "er"), ("ers", "ère"), ("ères", "er"), ("if", "ive"), ("ive", "if"),
    ("eux", "euse"), ("euse", "eux"), ("el", "elle"), ("elle", "el"), ("ien", "ienne"),
    ("ienne", "ien"), ("é", "ée"), ("ée", "é"), ("és", "ée"), ("ées", "é"), ("t", "te"),
    ("te", "t"), ("ts", "te"), ("tes", "t"), ("eau", "eaux"), ("eaux", "eau"), ("ers", "ères"),
    ("ères", "ers"), ("in", "ine"), ("ine", "in"), ("aire", "aires"), ("ain", "aine"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ActivityWords:
    """Words as they are spelt; `negated` are told only after « non ».

    `excepted` are told as what is not done. `past` are the imperfects of the verbs, for what
    several did at the time of a count, `doing` their participles.
    `pairs` are stems of neighbours in the label that are both singular or both plural.
    """

    heads: frozenset[str]
    words: frozenset[str]
    negated: frozenset[str]
    excepted: frozenset[str]
    verbs: frozenset[str]
    past: frozenset[str]
    doing: frozenset[str]
    trades: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    numbers: frozenset[str]


@functools.lru_cache(maxsize=4096)
def activity_words(label: str) -> ActivityWords:
    text = EXCEPTION.sub(" ", label)
    negated = frozenset(form for word in _NEGATED.findall(text) for form in forms(word.lower()))
    heads = frozenset(
        form
        for head in _heads(text)
        for noun in (head, *_other_nouns().get(head, ()))
        for form in forms(noun)
    )
    wares = frozenset[str]().union(*(_WARES.get(head, frozenset()) for head in heads))
    words = (
        heads
        | wares
        | frozenset(
            form
            for word in _WORD.findall(text)
            for form in forms(word.lower())
            if word.lower() not in _EMPTY
        )
    )
    names = trades_by_label().get(fold(label), frozenset())
    verbs = frozenset[str]().union(*(_verbs().get(head, frozenset()) for head in heads))
    return ActivityWords(
        heads=heads,
        words=words - negated,
        negated=negated,
        excepted=frozenset(_excepted(label)) - words,
        verbs=verbs,
        past=frozenset(_with_ending(verbs, "aient")),
        doing=frozenset(_with_ending(verbs, "ant")),
        trades=frozenset(form for name in names for form in (name, f"{name}s")).union(
            *(_doers().get(head, frozenset()) for head in heads)
        ),
        pairs=frozenset(_pairs(label)),
        numbers=frozenset(re.findall(r"\d+", label)),
    )


def _with_ending(verbs: frozenset[str], ending: str) -> Iterator[str]:
    """Yield the verbs of several doers with another ending: vendent, vendaient, vendant."""
    plural = "ent"
    return (f"{verb.removesuffix(plural)}{ending}" for verb in verbs if verb.endswith(plural))


def _excepted(label: str) -> Iterator[str]:
    for exception in EXCEPTION.findall(label):
        for word in _WORD.findall(exception):
            if word.lower() not in _EMPTY | {"exception", "exclusion", "sauf", "compris", "autre"}:
                yield from forms(word.lower())


def _pairs(label: str) -> Iterator[tuple[str, str]]:
    for first, second in pairwise(re.findall(r"[^\W\d_]+|[^\w\s]", label)):
        agrees = (first[-1] in "sx") is (second[-1] in "sx")
        if agrees and min(len(first), len(second)) > _SHORT:
            yield stem(fold(first)), stem(fold(second))


def _heads(text: str) -> Iterator[str]:
    """Yield the nouns that the label begins with, and those that follow them in a list."""
    words = [word.lower() for word in _WORD.findall(text)]
    generic = _GENERIC_HEAD.match(text)
    if generic is not None:
        yield words[0]
        rest = [word for word in _WORD.findall(text[generic.end() :]) if word.lower() not in _EMPTY]
        if rest:
            yield rest[0].lower()
        words = words[1:]
    elif words:
        yield words[0]
    for before, word in _LISTED.findall(text):
        lower = word.lower()
        listed = before in {",", " et", " ou"}
        if lower in _verbs() or (listed and (lower in _HEADS or lower.endswith(_HEAD_ENDINGS))):
            yield lower


def forms(word: str) -> Iterator[str]:
    """Yield the word in both numbers and genders; some forms that do not exist are harmless."""
    yield word
    if "-" in word:
        yield "-".join(f"{part}s" for part in word.split("-"))
    for ending, other in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > 1:
            form = word[: len(word) - len(ending)] + other
            yield form
            if other not in {"", "s"} and not form.endswith(("s", "x")):
                yield form + "s"


@functools.cache
def _verbs() -> Mapping[str, frozenset[str]]:
    return MappingProxyType(dict(_deeds(0)))


@functools.cache
def _doers() -> Mapping[str, frozenset[str]]:
    return MappingProxyType(dict(_deeds(1)))


@functools.cache
def _other_nouns() -> Mapping[str, frozenset[str]]:
    return MappingProxyType(dict(_deeds(2)))


def _deeds(column: int) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each deed noun with its words in one of the columns that bars part."""
    for line in read_lines("actes.txt"):
        noun, _, rest = line.partition(" ")
        words = (*rest.split("|"), "", "")[column].split()
        yield noun, frozenset(form for word in words for form in inflections(word))
