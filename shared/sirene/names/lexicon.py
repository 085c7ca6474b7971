"""The words that a name may hold, by their letters without accents (data/SOURCES.md). Pure."""

import bisect
import csv
import functools
import re
import unicodedata
from collections.abc import Mapping
from importlib import resources
from typing import Literal

Gender = Literal["", "m", "f"]

_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"})
_ASPIRATE = "*"
_UNSURE = "-"
_ENGLISH = "~"
_PARTICIPLE = ":a"
_MARKS = re.compile(r"[-*~]|:.")
_USAGES = ("petits", "prenoms", "noms", "lieux", "metiers", "generiques", "adjectifs")


@functools.lru_cache(maxsize=1_024)
def fold(text: str) -> str:
    """Return the text in capitals without accents, as INSEE writes it."""
    if text.isascii():
        return text.upper()
    decomposed = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return decomposed.encode("ascii", "ignore").decode().upper()


@functools.cache
def _lexicon() -> bytes:
    """Return the lines as they stand in the file, by key: far smaller than a mapping."""
    return (resources.files("shared.sirene") / "data" / "lexique.txt").read_bytes()


@functools.lru_cache(maxsize=4_096)
def _forms(key: str) -> tuple[str, ...]:
    """Return the forms of a key: the first is meant unless the gender points to another."""
    length = len(_lexicon())
    forms = _line(bisect.bisect_left(range(length), key, key=lambda at: _key(_line(at))))
    return forms if key and _key(forms) == key else ()


def _line(at: int) -> tuple[str, ...]:
    lexicon = _lexicon()
    line = lexicon[lexicon.rfind(b"\n", 0, at) + 1 : lexicon.find(b"\n", at)]
    return tuple(line.decode().split(" "))


def _key(forms: tuple[str, ...]) -> str:
    return fold(_MARKS.sub("", forms[-1]))


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
    """Return the word with its accents, a proper name with its capital; None where none is sure.

    `gender` chooses between forms that differ by accents alone: le marché, la marche.
    """
    key = fold(word)
    known = chosen("mots").get(key)
    if known is not None:
        return known
    forms = _forms(key)
    for form in forms if gender else ():
        if form.endswith(f":{gender}"):
            return form[:-2]
    if not forms or forms[0].startswith((_UNSURE, _ENGLISH)):
        return None
    return _MARKS.sub("", forms[0])


def is_unsure(word: str) -> bool:
    """Return whether the lexicon has several spellings of this word, none surely meant."""
    return french(word) is None and _starts(word, _UNSURE)


def is_english(word: str) -> bool:
    """Return whether English alone has this word."""
    return french(word) is None and _starts(word, _ENGLISH)


def _starts(word: str, mark: str) -> bool:
    return any(form.startswith(mark) for form in _forms(fold(word))[:1])


def is_english_too(word: str) -> bool:
    """Return whether English has this word of French without its accents: océan, ocean."""
    return any(form.endswith(_ENGLISH) for form in _forms(fold(word)))


def is_participle_too(word: str) -> bool:
    """Return whether this noun may be a participle after another noun: le chat perché."""
    return any(form.endswith(_PARTICIPLE) for form in _forms(fold(word)))


def is_word(word: str) -> bool:
    """Return whether the lexicon, or a list of names, has this word."""
    key = fold(word)
    known = key in chosen("mots") or any(key in chosen(usage) for usage in _USAGES)
    return known or len(_forms(key)) > 0


def is_common(word: str) -> bool:
    """Return whether French has this word, be its accents unsure; a name is none."""
    spelling = french(word)
    if spelling is None and is_unsure(word):
        spelling = _MARKS.sub("", _forms(fold(word))[-1])
    return spelling is not None and spelling[0].islower()


def elides(word: str, particle: str = "L") -> bool:
    """Return whether `l'` or `d'` stands before this word: a vowel or a mute h, in the lists.

    Before the name of a person L is rather an initial: L AUBERT.
    """
    key = fold(word)
    if is_common(key):
        is_mute = not any(_ASPIRATE in form for form in _forms(key))
        return key[0] in "AEIOU" or (key[0] == "H" and len(_forms(key)) > 0 and is_mute)
    if key in chosen("lieux"):
        return key[0] in "AEIOUYH"
    is_name = french(key) is not None or key in chosen("prenoms") or key in chosen("noms")
    return particle != "L" and is_name and key[0] in "AEIOUYH"
