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
    is_common,
    is_english,
    is_english_too,
    is_participle_too,
    is_word,
)
from shared.sirene.names.places import begins_a_place, commune_of_one_word, place_at
from shared.sirene.names.unlisted import LONG, capitalized, may_have_accent, unlisted
from shared.sirene.names.verbs import follows_a_subject, is_pronoun, may_be_a_verb, present

_WORDS = re.compile(r"([^\W_]+)")
_ROMAN = re.compile(r"(?=..)X{0,3}(?:IX|IV|V?I{0,3})")
_ORDINAL = re.compile(r"\d+(?:ER|ERE|I?EME|E|ND|NDE)")
_NUMBERED = frozenset({"SIECLE", "ARRONDISSEMENT", "REPUBLIQUE"})
_JOINED = frozenset({" ", "-", "'", "’"})
_SPOKEN = 3
_NAMES = ("prenoms", "noms", "lieux")
_ARTICLES = frozenset({"LE", "LA", "LES"})


def display_form(
    registered: str, *, code_commune: str | None = None, sigle: str | None = None
) -> str:
    """Return the name as French writes it; a name with small letters is somebody's own choice."""
    if registered != registered.upper():
        return registered
    if len(registered.split()) == 1 and not _is_known(registered):
        return registered
    return _ReadName.of(registered, code_commune, sigle).written() or registered


def _is_known(name: str) -> bool:
    """Return whether a name of one word is a word; else it may be an acronym or a brand."""
    words = _WORDS.findall(name)
    if len(words) != 1:
        return len(words) > 1
    if any(fold(words[0]) in chosen(usage) for usage in ("expressions", *_NAMES)):
        return True
    spelling = french(words[0]) or commune_of_one_word(words[0])
    return spelling is not None and (spelling[0].islower() or spelling.isascii())


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
        elif word.startswith("MC") and len(word) >= LONG - 1:
            written[at] = f"Mc{raw[2:].capitalize()}"
        else:
            first = chosen("prenoms").get(word) if following else None
            written[at] = first or capitalized(raw)
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

    def written(self) -> str | None:
        """Return the name in French case, or None where the spelling of one word is unsure."""
        out, i, generic = [self.gaps[0]], 0, False
        while i < len(self.words):
            place = self._place(i)
            if place is not None:
                spelling, number = place
                shown = _initial(spelling) if self._begins(i) else spelling
                out += [shown, self.gaps[i + number]]
                i += number
                continue
            elided = self._is_elided(i)
            text = self._word(i, after_generic=generic)
            if text is None:
                return None
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
        following = self.keys[i + 1]
        if self.gaps[i + 1] != " " or (
            i and len(self.keys[i - 1]) == 1 and self.keys[i - 1] != "A"
        ):
            return False
        is_name = following in chosen("prenoms") or not is_common(following)
        if self.keys[i] == "D" and self._begins(i) and is_name:
            return False
        elided = elides(following, self.keys[i])
        is_aspirate = following[0] == "H" and is_word(following) and not elided
        return elided or (not is_aspirate and begins_a_place(self.keys, i + 1, self.code_commune))

    def _word(self, i: int, *, after_generic: bool) -> str | None:
        word, key, begins = self.words[i], self.keys[i], self._begins(i)
        if self._stays(i):
            return word
        if key in chosen("abreges"):
            return chosen("abreges")[key]
        if (ordinal := self._ordinal(i)) is not None:
            return ordinal
        if len(key) == 1 or key == "QU":
            return self._letter(i)
        particle = chosen("petits").get(key)
        if particle is not None and i + 1 < len(self.words):
            return _initial(particle) if begins or self._is_name(i) else particle
        return self._content(i, after_generic=after_generic)

    def _ordinal(self, i: int) -> str | None:
        word, key = self.words[i], self.keys[i]
        if _ORDINAL.fullmatch(key):
            return re.sub("i?eme$", "e", re.sub("ere$", "re", word.lower()))
        is_roman = key.endswith("E") and _ROMAN.fullmatch(key[:-1])
        is_numbered = is_roman and not _NUMBERED.isdisjoint(self.keys[i + 1 :])
        return f"{word[:-1]}e" if is_numbered else None

    def _stays(self, i: int) -> bool:
        """Return whether the word stays as it is registered: acronym, numeral, address, digits."""
        word, key = self.words[i], self.keys[i]
        gaps = (self.gaps[i] if i else "", self.gaps[i + 1] if i + 1 < len(self.words) else "")
        return not is_pronoun(self.keys, i) and (
            any(gap in {".", "@", "_"} for gap in gaps)
            or word in self.acronyms
            or key in chosen("sigles")
            or key in chosen("formes")
            or (_ROMAN.fullmatch(key) is not None and len(key) > 1)
            or (any(map(str.isdigit, word)) and _ORDINAL.fullmatch(key) is None)
        )

    def _letter(self, i: int) -> str | None:
        word, key, begins = self.words[i], self.keys[i], self._begins(i)
        before, after = self.gaps[i], self.gaps[i + 1]
        if key == "S" and i and len(self.keys[i - 1]) >= _SPOKEN:
            return None if before == " " else "s" if before in {"'", "’"} else word
        if key in {"L", "D", "QU"} and (after in {"'", "’"} or self._is_elided(i)):
            return word.capitalize() if begins else word.lower()
        if key == "A" and self._is_preposition(i):
            return "À" if begins else "à"
        return word

    def _is_preposition(self, i: int) -> bool:
        """Return whether this A is « à », not an initial or « il a »."""
        if follows_a_subject(self.keys, i):
            return False
        if i + 1 == len(self.words) or (i and len(self.keys[i - 1]) == 1):
            return False
        following = self.keys[i + 1]
        if following == "L":
            return self._is_elided(i + 1) or self.gaps[i + 2] in {"'", "’"}
        if self.words[i] == "À" or following in {"LA", "DEUX", "VOTRE", "TABLE"}:
            return True
        return i > 0 and following not in chosen("noms") and is_common(following)

    def _is_name(self, i: int) -> bool:
        """Return whether this article belongs to a surname: Le Goff."""
        following = self.keys[i + 1]
        is_short = len(following) < LONG and not is_common(following)
        return self.keys[i] in _ARTICLES and (is_short or following in chosen("noms"))

    def _content(self, i: int, *, after_generic: bool) -> str | None:
        """Return a word of meaning, or a proper name; None where its spelling is unsure."""
        word, key = self.words[i], self.keys[i]
        shown = self._spoken(i) if word.isascii() else word.lower()
        if shown is not None:
            return _initial(shown)
        if after_generic and key in chosen("adjectifs"):
            return chosen("adjectifs")[key]
        before = self.keys[i - 1] if i else ""
        name = next((names[key] for names in map(chosen, _NAMES) if key in names), None)
        spelling = name or french(key, _gender_after(before))
        if spelling is None:
            # « Qui RIT »: after a subject an unknown word is no acronym.
            return None if self._is_verb(i) else self._unlisted(i)
        if may_be_a_verb(self.keys, i) or (is_participle_too(key) and self._follows_a_noun(i)):
            return None
        if spelling.isascii() or not self._is_foreign(i, is_name=spelling[0].isupper()):
            return _initial(spelling)
        return word.capitalize() if self._english > 1 and is_english_too(key) else None

    def _spoken(self, i: int) -> str | None:
        """Return a pronoun before its verb, or the verb after it; None for other words."""
        if is_pronoun(self.keys, i):
            return self.keys[i].lower()
        return present(self.keys[i]) if self._is_verb(i) else None

    def _is_verb(self, i: int) -> bool:
        return self.gaps[i] in _JOINED and follows_a_subject(self.keys, i)

    def _follows_a_noun(self, i: int) -> bool:
        before = self.keys[i - 1] if i else ""
        is_noun = is_common(before) and not _gender_after(before)
        return self.gaps[i] == " " and is_noun and before not in chosen("petits")

    def _unlisted(self, i: int) -> str | None:
        word, key = self.words[i], self.keys[i]
        if key.startswith("MC") and len(key) >= LONG:
            return f"Mc{word[2:].capitalize()}"
        is_certain = is_english(key) and (self._english > 1 or not may_have_accent(key))
        if is_certain:
            return word.capitalize()
        if is_common(key):
            return None
        return unlisted(word) or (word if self._is_of_a_person() else None)

    def _is_of_a_person(self) -> bool:
        """Return whether the name tells that it holds a surname, which may stay in capitals."""
        return any(key in chosen("prenoms") or key in chosen("personnes") for key in self.keys)

    def _is_foreign(self, i: int, *, is_name: bool) -> bool:
        """Return whether French accents are unsure: in an English name, in that of a river."""
        key, before = self.keys[i], self.keys[i - 1] if i else ""
        is_river = before in {"SUR", "SOUS"} and i > 1 and not is_word(self.keys[i - 2])
        has_particle = not chosen("petits").keys().isdisjoint(self.keys)
        others = chosen("etrangers").keys()
        return (
            is_river
            or (self._english > 0 and is_english_too(key) and not has_particle)
            or (is_name and not others.isdisjoint(self.keys))
            or ("&" in "".join(self.gaps) and any(map(_is_foreign_word, self.keys)))
        )

    @property
    def _english(self) -> int:
        """Count the words that are English alone."""
        return sum(key in chosen("anglais") or is_english(key) for key in self.keys)


def _is_foreign_word(key: str) -> bool:
    return len(key) >= LONG and not is_word(key)


def _gender_after(before: str) -> Gender:
    """Return the gender that the word before a noun tells."""
    return "m" if before in chosen("masculins") else "f" if before in chosen("feminins") else ""


def _initial(text: str) -> str:
    return text[:1].upper() + text[1:]
