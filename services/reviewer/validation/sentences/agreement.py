"""The agreements that matter: article and noun, elision, participle and verb with the subject."""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from services.reviewer.french.data import read_lines
from services.reviewer.french.folding import fold
from services.reviewer.french.grammar import elides
from services.reviewer.validation import legal_forms
from services.reviewer.validation.sentences.tokens import DISAGREES, Mark

Genre = Literal["m", "f"]
# The gender and number that a determiner asks for; « l’ » and « des » only ask for a number.
_DETERMINERS: Mapping[str, tuple[str, str]] = {
    "le": ("m", "s"), "la": ("f", "s"), "l'": ("", "s"), "un": ("m", "s"), "une": ("f", "s"),
    "ce": ("m", "s"), "cet": ("m", "s"), "cette": ("f", "s"), "du": ("m", "s"), "au": ("m", "s"),
    "sa": ("f", "s"), "les": ("", "p"), "des": ("", "p"), "ces": ("", "p"), "aux": ("", "p"),
}  # fmt: skip
_BEFORE_A_CONSONANT = frozenset({"le", "la", "ce", "du", "au", "sa", "de", "que"})
_BEFORE_A_VOWEL = frozenset({"l'", "d'", "qu'", "cet"})
_PRONOUNS = {"il": ("m", "s"), "elle": ("f", "s"), "ils": ("m", "p"), "elles": ("f", "p")}
_UNSURE = frozenset({"<min>", "<departement>", "<region>", "<forme>"})
_PLACES = frozenset({"<commune>", "<departement>", "<region>"})
_NAMED = frozenset({"<nom>", "<etab>", "<unite>"})
_WORDS_OF_ACTIVITY = frozenset({"<tete>", "<metier>", "<libelle>"})
_AFTER_NOUN = frozenset({"<nom>", "<etab>", "<unite>", "<gentile>"})
_WITHIN_NOUN = _AFTER_NOUN | {"<mot>", "<commune>", "de", "d'", "du", "des"}
_EPITHETS = _AFTER_NOUN | {"<mot_forme>", "<sigle>"}
_ADJECTIVES = frozenset("individuelle exploitante principal principale secondaire social".split())  # noqa: SIM905 a word list
_PREPOSITIONS = frozenset({"de", "d'", "à", "par"})
_TO_BE = {"est": "s", "sont": "p"}
_PARTICIPLE = re.compile(r"(?:.*[^\W\d_]é|établi|sis|inscrit|ouvert|issu|tenu)(e?)(s?)$")
_FACTS = frozenset(
    {"<nom>", "<etab>", "<unite>", "<enseigne>", "<sigle>", "<libelle>", "<clause>", "<commune>"}
)
_ONES = frozenset(
    "est a constitue forme représente relève concerne fait compte emploie".split()  # noqa: SIM905 a word list
)
_MANY = frozenset(
    "sont ont constituent forment représentent relèvent concernent font".split()  # noqa: SIM905 a word list
)
_PLURALS = frozenset(
    """sont ont exercent emploient comptent déclarent figurent disposent possèdent exploitent
    comptaient employaient avaient exploitaient possédaient occupaient recensaient""".split()  # noqa: SIM905 a word list
)


@functools.cache
def _genders() -> Mapping[str, tuple[Genre, str]]:
    """Return gender and number of the nouns that notices use."""
    found: dict[str, tuple[Genre, str]] = {}
    for line in read_lines("genres.txt"):
        genre, *nouns = line.split()
        for noun in nouns:
            found[noun] = ("m" if genre == "m" else "f", "s")
            if not noun.endswith("s"):
                found[f"{noun}s"] = (found[noun][0], "p")
    return MappingProxyType(found)


@functools.lru_cache(maxsize=1024)
def _gender_of_form(words: str) -> Genre | None:
    """Return the gender of a legal form, whose acronym has that of its first word."""
    folded = fold(words).replace(".", "")
    head = re.split(r"[ ,(]", legal_forms.ALIASES.get(folded, (folded,))[0])[0]
    by_folded = {fold(noun): genre for noun, (genre, _) in _genders().items()}
    return by_folded.get(head)


def _features(token: Mark, small: str) -> tuple[str, str] | None:
    if "<forme>" in token.symbols:
        gender = _gender_of_form(token.text)
        return None if gender is None else (gender, "s")
    return _genders().get(small)


@dataclass(frozen=True, slots=True)
class SpeltWord:
    """`text` is in small letters, and empty for a fact, which is spelt as it is.

    `elides` tells of words and places whether « de » loses its vowel before them.
    """

    text: str
    elides: bool
    features: tuple[str, str] | None
    symbols: frozenset[str]


def words_of(tokens: Sequence[Mark]) -> tuple[SpeltWord, ...]:
    return tuple(map(_spelt, tokens))


def _spelt(token: Mark) -> SpeltWord:
    small, symbols = token.text.lower().replace("’", "'"), token.symbols
    return SpeltWord(
        small if _FACTS.isdisjoint(symbols) else "",
        not _PLACES.isdisjoint(symbols) and elides(token.text),
        _features(token, small),
        symbols,
    )


# A sentence is looked at several times, and hardly ever comes again in another text.
@functools.lru_cache(maxsize=64)
def disagree(tokens: tuple[SpeltWord, ...]) -> bool:
    """Return whether a word of the sentence does not agree with its neighbour or its subject."""
    return (
        any(DISAGREES in token.symbols for token in tokens)
        or any(_article_is_wrong(first, second) for first, second in pairwise(tokens))
        or _participles_are_wrong(tokens)
        or any(_epithet_is_wrong(tokens, place) for place in range(len(tokens) - 2))
        or _verb_is_wrong(tokens)
    )


def _article_is_wrong(first: SpeltWord, second: SpeltWord) -> bool:
    # The SA of « cette SA à conseil d’administration » is no possessive.
    word = "" if "<forme>" in first.symbols else first.text
    if second.elides and word == "de":
        return True
    if second.text[:1].isalpha() and _UNSURE.isdisjoint(second.symbols):
        # « Ce à quoi se consacre … » has no noun.
        is_bare = (word, second.text) == ("ce", "à") or second.text.startswith("y")
        if word in _BEFORE_A_CONSONANT and elides(second.text) and not is_bare:
            return True
        if word in _BEFORE_A_VOWEL and not elides(second.text) and second.text != "y":
            return True
    wanted = _DETERMINERS.get(word)
    found = second.features
    if wanted is None or found is None or "<nom>" in second.symbols:
        return False
    gender, number = wanted
    return number != found[1] or (gender not in {"", found[0]})


def _subject(tokens: tuple[SpeltWord, ...]) -> tuple[int, tuple[str, str]] | None:
    """Return the place after the subject that the tokens begin with, and its features."""
    if not tokens:
        return None
    pronoun = _PRONOUNS.get(tokens[0].text)
    if pronoun is not None:
        return 1, pronoun
    if len(tokens) > 1 and tokens[0].text in _DETERMINERS and (found := _noun(*tokens[:2])):
        return _end_of_noun(tokens), found
    return None


def _noun(determiner: SpeltWord, noun: SpeltWord) -> tuple[str, str] | None:
    """Return the features of the noun, or those that its determiner asks for."""
    wanted = _DETERMINERS[determiner.text]
    is_sure = wanted[0] and not _WORDS_OF_ACTIVITY.isdisjoint(noun.symbols)
    return noun.features or (wanted if is_sure else None)


def _end_of_noun(tokens: tuple[SpeltWord, ...]) -> int:
    """Return the place after the noun with its names, or of the « est » that follows its words."""
    place = 2
    while place < len(tokens) and not _AFTER_NOUN.isdisjoint(tokens[place].symbols):
        place += 1
    for later in range(place, len(tokens)):
        if tokens[later].text in {"est", "sont"} or tokens[later].text in {"a", "ont"}:
            return later
        if _WITHIN_NOUN.isdisjoint(tokens[later].symbols):
            break
    return place


def _clauses(tokens: tuple[SpeltWord, ...]) -> Iterator[tuple[bool, tuple[SpeltWord, ...]]]:
    """Yield the rest of the sentence from each place where a subject may stand.

    It may be the second of two that « et » joins: « la coiffure et la pose y sont pratiquées ».
    """
    yield False, tokens
    for place, token in enumerate(tokens):
        if token.text in {",", ";", ":", "et", "que", "qu'", "dont", "où"}:
            yield token.text == "et", tokens[place + 1 :]


def _participles_are_wrong(tokens: tuple[SpeltWord, ...]) -> bool:
    for joined, clause in _clauses(tokens):
        found = _subject(clause)
        if found is None:
            continue
        place, features = found
        if joined and any(token.text in _PLURALS for token in clause[place : place + 2]):
            continue
        # A label agrees with itself, as in `_epithet_is_wrong`.
        if place < len(clause) and "<mot>" in clause[place].symbols:
            continue
        words = [token.text for token in clause[place : place + 4]]
        if words[:1] == ["y"]:
            words = words[1:]
        if words[:2] in (["a", "été"], ["ont", "été"]):
            participle = words[2:3]
        elif words and words[0] in _TO_BE:
            if _TO_BE[words[0]] != features[1]:
                return True
            participle = words[1:2]
        else:
            participle = words[:1]
        if participle and not _agrees(participle[0], features):
            return True
    return _first_participle_is_wrong(tokens)


def _epithet_is_wrong(tokens: tuple[SpeltWord, ...], start: int) -> bool:
    """Return whether « une entreprise individuelle créé » does not agree, where a noun begins."""
    noun = tokens[start + 1]
    if tokens[start].text not in _DETERMINERS or noun.features is None or "<nom>" in noun.symbols:
        return False
    # In « établissement d’une SAS implanté à Lyon » the participle is the first noun's.
    before = [token.text for token in tokens[max(0, start - 2) : start]]
    if before[-1:] and before[-1] in _PREPOSITIONS and before[0] != "agit":
        return False
    place = start + 2
    while place < len(tokens) - 1 and (
        tokens[place].text in _ADJECTIVES or not _EPITHETS.isdisjoint(tokens[place].symbols)
    ):
        place += 1
    # « la culture et l’élevage associés » is a label's own agreement.
    if "<mot>" in tokens[place].symbols:
        return False
    return not _agrees(tokens[place].text, noun.features)


def _first_participle_is_wrong(tokens: tuple[SpeltWord, ...]) -> bool:
    """Return whether « Créé en 2004, elle … » does not agree."""
    first = tokens[0] if tokens else None
    if first is None or " " in first.text or _PARTICIPLE.match(first.text) is None:
        return False
    if first.features is not None:
        return False
    for place, token in enumerate(tokens):
        # « Rattaché à X, une SAS, l’établissement … »: an apposition is no subject.
        if token.text == "," and tokens[place + 1].text not in {"un", "une"}:
            found = _subject(tokens[place + 1 :])
            if found is not None:
                return not _agrees(tokens[0].text, found[1])
    return False


def _agrees(word: str, features: tuple[str, str]) -> bool:
    match = _PARTICIPLE.match(word)
    if match is None:
        return True
    gender, number = features
    if word == "sis":
        return gender == "m"
    return (match.group(1) == "e") == (gender == "f") and (match.group(2) == "s") == (number == "p")


def _verb_is_wrong(tokens: tuple[SpeltWord, ...]) -> bool:
    if (
        len(tokens) > 1
        and tokens[0].text in {"les", "ces"}
        and _NAMED.isdisjoint(tokens[1].symbols)
    ):
        verbs = (token.text for token in tokens[1:] if token.text in _ONES | _MANY)
        if next(verbs, "sont") in _ONES:
            return True
    for joined, clause in _clauses(tokens):
        found = _subject(clause)
        if found is not None and found[0] < len(clause):
            place, (_, number) = found
            verb = clause[place].text
            if verb in _PLURALS and number == "s" and not joined:
                return True
            if number == "p" and (verb in {"est", "a"} or verb.endswith(("loie", "erce", "pte"))):
                return True
    return False
