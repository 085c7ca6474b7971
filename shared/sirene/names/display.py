"""A registered name in French case where that is safe; what is unsure stays as registered. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.sirene.names.lexicon import (
    Gender,
    chosen,
    elides,
    fold,
    french,
    is_word,
)
from shared.sirene.names.places import begins_a_place, commune_of_one_word, place_at

_WORDS = re.compile(r"([^\W_]+)")
_ROMAN = re.compile(r"(?=..)X{0,3}(?:IX|IV|V?I{0,3})")
_ORDINAL = re.compile(r"\d+(?:ER|ERE|EME|E|ND|NDE)")
_PRONOUNCED = re.compile(r"(?!.*[BCDFGJKLMNPQRSTVWXZ]{5})(?:.*[AEIOUY]){2}.*")
_IMPOSSIBLE_START = re.compile(r"[BCDFGJKLMNPQRSTVWXZ]{4}|([A-Z])\1")
# Words that French always ends so, names too: Poulardière.
_IERE = re.compile(r"ieres?$")
_JOINED = frozenset({" ", "-", "'", "’"})
_LONG = 6
_ARTICLES = frozenset({"LE", "LA", "LES"})
_BEFORE_NOUN: dict[str, Gender] = {
    **dict.fromkeys(("LE", "UN", "DU", "AU", "GRAND", "PETIT", "VIEUX", "NOUVEAU", "BEAU"), "m"),
    **dict.fromkeys(("LA", "UNE", "GRANDE", "PETITE", "VIEILLE", "NOUVELLE", "BELLE"), "f"),
}


def display_form(
    registered: str, *, code_commune: str | None = None, sigle: str | None = None
) -> str:
    """Return the name as French writes it; a name with small letters is somebody's own choice."""
    if registered != registered.upper():
        return registered
    if len(registered.split()) == 1 and not _is_known(registered):
        return registered
    return _ReadName.of(registered, code_commune, sigle).written()


def _is_known(name: str) -> bool:
    """Return whether a name of one word is a word; another may be an acronym."""
    words = _WORDS.findall(name)
    return len(words) > 1 or any(is_word(word) or commune_of_one_word(word) for word in words)


def display_person(registered: str) -> str:
    """Return a person's name, first name first, in French case."""
    if registered != registered.upper():
        return registered
    parts = _WORDS.split(registered)
    written, words = parts[:], [fold(word) for word in parts[1::2]]
    for i, word in enumerate(words):
        raw, at = parts[2 * i + 1], 2 * i + 1
        following = words[i + 1] if i + 1 < len(words) else ""
        if i and following and word in {"DE", "DU", "DES", "ET"}:
            written[at] = raw.lower()
        elif (
            i and word in {"D", "O"} and following[:1] in tuple("AEIOUYHB") and parts[at + 1] == " "
        ):
            written[at], written[at + 1] = (raw.lower() if word == "D" else raw), "'"
        elif word.startswith("MC") and len(word) >= _LONG - 1:
            written[at] = f"Mc{raw[2:].capitalize()}"
        else:
            first = chosen("prenoms").get(word) if following else None
            written[at] = first or _IERE.sub(
                lambda end: end[0].replace("ier", "ièr"), raw.capitalize()
            )
    return "".join(written)


@dataclass(frozen=True, slots=True)
class _ReadName:
    """A name, read word by word: `words` as registered, `keys` folded, `gaps` around them."""

    words: Sequence[str]
    keys: Sequence[str]
    gaps: Sequence[str]
    code_commune: str | None
    acronyms: frozenset[str]

    @classmethod
    def of(cls, registered: str, code_commune: str | None, sigle: str | None) -> "_ReadName":
        parts = _WORDS.split(registered)
        words = parts[1::2]
        acronyms = frozenset(_WORDS.findall(sigle or ""))
        return cls(words, [fold(word) for word in words], parts[::2], code_commune, acronyms)

    def written(self) -> str:
        out, i, generic = [self.gaps[0]], 0, False
        while i < len(self.words):
            place = self._place(i)
            if place is not None:
                text, number = place
                out += [_initial(text) if self._begins(i) else text, self.gaps[i + number]]
                i += number
                continue
            elided = self._is_elided(i)
            text = self._word(i, after_generic=generic)
            key = self.keys[i]
            goes_on = key in chosen("adjectifs") or key == "ET"
            generic = key in chosen("generiques") or (generic and goes_on)
            out += [text, "'" if elided else self.gaps[i + 1]]
            i += 1
        return "".join(out)

    def _place(self, i: int) -> tuple[str, int] | None:
        end = i
        while end + 1 < len(self.words) and self.gaps[end + 1] in _JOINED:
            end += 1
        found = place_at(self.keys[: end + 1], i, self.code_commune)
        return None if found is None else (found.spelling, found.words)

    def _begins(self, i: int) -> bool:
        """Return whether a name begins here: first, after a dash, a legal form or a trade."""
        if i == 0 or re.search(r"[(\[:;/\"«|+]|\s-\s", self.gaps[i]):
            return True
        before, key = self.keys[i - 1], self.keys[i]
        if before in chosen("formes"):
            return key not in {"DE", "DU", "DES", "D", "ET"}
        is_trade = before in chosen("metiers") or before in chosen("generiques")
        return is_trade and (key in _ARTICLES or (key == "L" and i + 1 < len(self.keys)))

    def _is_elided(self, i: int) -> bool:
        """Return whether the apostrophe that INSEE left out stands after this word."""
        if self.keys[i] not in {"L", "D", "QU"} or i + 1 == len(self.words):
            return False
        if self.gaps[i + 1] != " " or (
            i and len(self.keys[i - 1]) == 1 and self.keys[i - 1] != "A"
        ):
            return False
        following = self.keys[i + 1]
        is_aspirate = following[0] == "H" and is_word(following) and not elides(following)
        return elides(following) or (
            not is_aspirate and begins_a_place(self.keys, i + 1, self.code_commune)
        )

    def _word(self, i: int, *, after_generic: bool) -> str:
        word, key, begins = self.words[i], self.keys[i], self._begins(i)
        if self._stays(i):
            return word
        if any(map(str.isdigit, word)):
            is_first = word.endswith(("ERE", "EME"))
            small = word.lower()
            return small if not is_first else re.sub("e(re|me)$", r"è\1", small)
        if key in chosen("abreges"):
            return chosen("abreges")[key]
        if len(key) == 1 or key == "QU":
            return self._letter(i)
        particle = chosen("petits").get(key)
        if particle is not None and i + 1 < len(self.words):
            return _initial(particle) if begins or self._is_name(i) else particle
        return self._content(i, after_generic=after_generic)

    def _stays(self, i: int) -> bool:
        """Return whether the word stays as it is registered: acronym, numeral, address, digits."""
        word, key = self.words[i], self.keys[i]
        gaps = (self.gaps[i] if i else "", self.gaps[i + 1] if i + 1 < len(self.words) else "")
        return (
            any(gap in {".", "@", "_"} for gap in gaps)
            or word in self.acronyms
            or key in chosen("sigles")
            or key in chosen("formes")
            or (_ROMAN.fullmatch(key) is not None and len(key) > 1)
            or (any(map(str.isdigit, word)) and _ORDINAL.fullmatch(key) is None)
        )

    def _letter(self, i: int) -> str:
        word, key, begins = self.words[i], self.keys[i], self._begins(i)
        before, after = self.gaps[i], self.gaps[i + 1]
        if key == "S" and before in {"'", "’"} and i and len(self.keys[i - 1]) > 1:
            return "s"
        if key in {"L", "D", "QU"} and (after in {"'", "’"} or self._is_elided(i)):
            return word.capitalize() if begins else word.lower()
        if key == "A" and self._is_preposition(i):
            return "À" if begins else "à"
        return word

    def _is_preposition(self, i: int) -> bool:
        """Return whether this A is « à », not an initial."""
        if i + 1 == len(self.words) or (i and len(self.keys[i - 1]) == 1):
            return False
        following = self.keys[i + 1]
        if following == "L":
            return self._is_elided(i + 1) or self.gaps[i + 2] in {"'", "’"}
        if self.words[i] == "À" or following in {"LA", "DEUX", "VOTRE", "TABLE"}:
            return True
        return i > 0 and following not in chosen("noms") and french(following) is not None

    def _is_name(self, i: int) -> bool:
        """Return whether this article belongs to a surname: Le Goff."""
        following = self.keys[i + 1]
        is_short = len(following) < _LONG and not is_word(following)
        return self.keys[i] in _ARTICLES and (is_short or following in chosen("noms"))

    def _content(self, i: int, *, after_generic: bool) -> str:
        word, key = self.words[i], self.keys[i]
        if not word.isascii():
            return word.capitalize()
        if after_generic and key in chosen("adjectifs"):
            return chosen("adjectifs")[key]
        before = self.keys[i - 1] if i else ""
        small = None if self._is_foreign(i) else french(key, _BEFORE_NOUN.get(before, ""))
        known = (
            chosen("prenoms").get(key)
            or chosen("noms").get(key)
            or chosen("lieux").get(key)
            or (small and _initial(small))
            or commune_of_one_word(key)
        )
        if known:
            return known
        if key.startswith("MC") and len(key) >= _LONG:
            return f"Mc{word[2:].capitalize()}"
        return word.capitalize() if is_word(key) else _unknown(word)

    def _is_foreign(self, i: int) -> bool:
        """Return whether French accents are unsure: in an English name, in that of a river."""
        before = self.keys[i - 1] if i else ""
        english = chosen("anglais")
        is_river = before in {"SUR", "SOUS"} and i > 1 and not is_word(self.keys[i - 2])
        is_english = self.keys[0] == "THE" or not english.keys().isdisjoint(self.keys)
        return is_river or (is_english and chosen("petits").keys().isdisjoint(self.keys))


def _unknown(word: str) -> str:
    """Return a word in no list: short, or hardly to be said, it may be an acronym and stays."""
    if len(word) < _LONG or not _PRONOUNCED.match(word) or _IMPOSSIBLE_START.match(word):
        return word
    return _IERE.sub(lambda end: end[0].replace("ier", "ièr"), word.capitalize())


def _initial(text: str) -> str:
    return text[:1].upper() + text[1:]
