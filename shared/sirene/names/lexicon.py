"""The words that a name may hold, by their letters without accents (data/SOURCES.md). Pure."""

import csv
import functools
import re
import unicodedata
from collections.abc import Mapping
from importlib import resources
from typing import Literal

from shared.sirene.reference import libelles_d_activite

Gender = Literal["", "m", "f"]

_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"})
_ASPIRATE = "*"
_UNCERTAIN = "-"
_ENDINGS = (("S", "s"), ("X", "x"), ("E", "e"), ("ES", "es"))
_SHORTEST_STEM = 3
_LONG_WORD = 5


@functools.lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Return the text in capitals without accents, as INSEE writes it."""
    if text.isascii():
        return text.upper()
    decomposed = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return decomposed.encode("ascii", "ignore").decode().upper()


@functools.cache
def _lexicon() -> Mapping[str, tuple[str, ...]]:
    """Return the forms of each key: the first is meant unless the gender points to another."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _data("lexique.txt").splitlines():
        forms = tuple(line.split(" "))
        key = fold(re.sub(r"[-*]|:.", "", forms[-1]))
        found[key] = forms
    return found


def _data(file_name: str) -> str:
    return (resources.files("shared.sirene") / "data" / file_name).read_text(encoding="utf-8")


@functools.cache
def chosen(usage: str) -> Mapping[str, str]:
    """Return the words of a usage in noms.csv by key; the first of two with one key counts."""
    found: dict[str, str] = {}
    for row in csv.DictReader(_data("noms.csv").splitlines()):
        if row["usage"] == usage:
            for form in re.split(r"\|" if usage == "expressions" else " ", row["mots"]):
                found.setdefault(words_key(form), form)
    return found


def words_key(text: str) -> str:
    """Return the folded words, parted by one space."""
    return " ".join(re.findall(r"[A-Z0-9]+", fold(text)))


def french(word: str, gender: Gender = "") -> str | None:
    """Return the word with its accents, in small letters; None for a word that is not known.

    `gender` chooses between forms that differ by accents alone: le marché, la marche. Where none
    is certain, the word has no accents.
    """
    key = fold(word)
    found = _form(key, gender)
    for ending, small in () if found else _ENDINGS:
        stem = key.removesuffix(ending)
        base = None if stem == key or len(stem) < _SHORTEST_STEM else _form(stem, "")
        if base is not None and not (base.endswith("e") and small.startswith("e")):
            return base + small
    if found is None and key.endswith("AUX") and (base := _form(f"{key[:-3]}AL", "")) is not None:
        return f"{base[:-2]}aux"
    return found


def _form(key: str, gender: Gender) -> str | None:
    known = chosen("mots").get(key)
    if known is not None:
        return known
    forms = _lexicon().get(key)
    if forms is None:
        return None
    if gender:
        for form in forms:
            if form.endswith(f":{gender}"):
                return form[:-2]
    if forms[0].startswith(_UNCERTAIN):
        return key.lower()
    return forms[0].split(":")[0].rstrip(_ASPIRATE)


def is_word(word: str) -> bool:
    """Return whether French, or a name in the lists, has this word."""
    key = fold(word)
    usages = ("petits", "prenoms", "noms", "lieux", "metiers", "generiques", "adjectifs")
    return (
        french(key) is not None
        or key in _words_of_labels()
        or any(key in chosen(usage) for usage in usages)
    )


@functools.cache
def _words_of_labels() -> frozenset[str]:
    """Return the words of INSEE's labels: the lexicon leaves out long words without accents."""
    words = " ".join(libelles_d_activite()).split()
    return frozenset(fold(word) for word in words if word.isalpha() and len(word) > _LONG_WORD)


def elides(word: str) -> bool:
    """Return whether `l'` and `d'` stand before this word: a vowel or a mute h, in the lists."""
    key = fold(word)
    if any(key in chosen(usage) for usage in ("prenoms", "noms", "lieux")):
        return key[0] in "AEIOUYH"
    if french(key) is None:
        return False
    if key[0] != "H":
        return key[0] in "AEIOU"
    stems = (key, key.removesuffix("S"), key.removesuffix("E"), key.removesuffix("ES"))
    forms = next((_lexicon()[stem] for stem in stems if stem in _lexicon()), ("*",))
    return not any(form.endswith(_ASPIRATE) for form in forms)
