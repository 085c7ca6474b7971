"""French grammar for templates: articles, elision, numbers, dates."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from services.reviewer.french.folding import fold
from services.reviewer.french.labels import split_arrondissement

NBSP = "\u00a0"
MOIS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905 a word list
)

# Words with a mute H: usage elides before them. Any other H keeps its "de".
_H_MUET = re.compile(
    r"(?:habille|habit|harmon|hebdo|heberge|hectare|helic|heliport|heritage|heure|historique"
    r"|herbor|herbag|heritier|hermine|hexagon|hippi|hippo|hirondelle|histoi|hiver"
    r"|honneur|horizon|hormon|hostell|humanit|hypno"
    r"|homme|homeo|hopita|horaire|horlog|horti|hospi|hote|huile|huissier|huit?re|humain|hydr"
    r"|hygien|hypermarche|hypotheq|h(?:yeres|endaye|erblay|erouville|ericourt|erepian|ermanville"
    r"|erbignac|ennebont|eyrieux|ieres|ermeray|ermies|ery\b|erimoncourt|ersin|esdin|onnecourt"
    r"|onfleur|ostens|uriel|uelgoat|yenville|yet\b|onor))"
)
_VOWELS = frozenset("aeiou")
# Words that begin with a glide: "le onze", "le oui", "le yaourt", "la ouate".
_GLIDES = re.compile(r"(?:onz(?:e|ieme)\b|oui\b|ouistiti|ouate|yaourt|yacht|yoga|uhlan|ululement)")
_ARTICLE = re.compile(r"(Le |Les |La |L['’])(?=\w)")


def elides(word: str) -> bool:
    """Return whether « le » and « de » lose their vowel before this word or name."""
    folded = fold(word).lstrip("«\"'( ")
    if not folded or _GLIDES.match(folded):
        return False
    if folded[0] == "h":
        return _H_MUET.match(folded) is not None
    if folded[0] == "y":
        return len(folded) > 1 and folded[1] not in _VOWELS
    return folded[0] in _VOWELS


def de(word: str) -> str:
    """Put « de » or « d’ » before a word without article."""
    return f"d’{word}" if elides(word) else f"de {word}"


def que(word: str) -> str:
    return f"qu’{word}" if elides(word) else f"que {word}"


def le(noun: str, gender: Literal["m", "f"], *, plural: bool = False) -> str:
    if plural:
        return f"les {noun}"
    if elides(noun):
        return f"l’{noun}"
    return f"{'le' if gender == 'm' else 'la'} {noun}"


def de_le(noun: str, gender: Literal["m", "f"]) -> str:
    """Return « du syndicat », « de la commune », « de l’association »."""
    group = le(noun, gender)
    return f"du {noun}" if group.startswith("le ") else f"de {group}"


@dataclass(frozen=True, slots=True)
class Lieu:
    """A commune in the three shapes of a sentence: « au Mans », « du Mans », « Le Mans »."""

    a: str
    de: str
    nom: str


def lieu(commune: str) -> Lieu:
    """Return the shapes of a commune in its official spelling, with a capital on its article.

    Le and Les contract and lose their capital, La and L' keep it (Lexique des règles
    typographiques de l'Imprimerie nationale, « Noms de lieux »).
    """
    arrondissement = split_arrondissement(commune)
    if arrondissement is not None:
        ville, rang = arrondissement
        suffix = f" ({rang} arrondissement)"
        return Lieu(f"à {ville}{suffix}", f"{de(ville)}{suffix}", f"{ville}{suffix}")
    nom = commune.replace("'", "’").replace("(Canton", "(canton")
    article = _ARTICLE.match(nom)
    if article is None:
        return Lieu(f"à {nom}", de(nom), nom)
    rest = nom[article.end() :]
    match article.group().strip():
        case "Le":
            return Lieu(f"au {rest}", f"du {rest}", nom)
        case "Les":
            return Lieu(f"aux {rest}", f"des {rest}", nom)
        case _:
            return Lieu(f"à {nom}", f"de {nom}", nom)


def capital(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:]


def date_en_lettres(day: dt.date) -> str:
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MOIS[day.month - 1]} {day.year}"


def mois_en_lettres(day: dt.date) -> str:
    return f"{MOIS[day.month - 1]} {day.year}"


_EN_LETTRES = "zéro un deux trois quatre cinq six sept huit neuf".split()  # noqa: SIM905 a word list


def en_lettres(value: int) -> str:
    """Write a number below ten in letters, others in digits."""
    return _EN_LETTRES[value] if value < len(_EN_LETTRES) else nombre(value)


def nombre(value: int) -> str:
    """Write a number with no-break spaces between thousands: 10 000."""
    return f"{value:,}".replace(",", NBSP)
