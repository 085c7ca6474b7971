"""Words, numbers and addresses that a writer disguises, so that no list finds them. Pure.

The text is folded (`services.reviewer.french.folding.fold`).
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator

# « enf0iré », « br4nl3ur », « $alope ». A 1 is an i or an l.
_LOOKS_LIKE = str.maketrans("023456789@$€!+", "ozeasgtbgaseit")
_CHUNK = re.compile(r"[\w@$€!|+*]+")
_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_][ ._*-]{1,2}){2,}[^\W\d_](?![^\W_])")
_CUT = re.compile(r"(?<![^\W_])[^\W\d_]+(?:[._*|/-][^\W\d_]+)+(?![^\W_])")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_MOST_DRAWN_OUT = 4
# « c*nnards », « con*** », « m...e »
_MASKED = re.compile(r"[^\W\d_][*#@$]+[^\W\d_]|[^\W\d_]\*{2,}|(?<![^\W_'])[b-df-np-xz]\.{2,}[a-z]+")

_TLDS = "fr|com|net|org|eu|io|bzh"
_ADDRESS = re.compile(
    r"(?:\S ?)?@ ?\w|\S ?[(\[{] ?(?:at|a|arobase|chez) ?[)\]}] ?\S|://|\bwww\b|\barobase\b"
    rf"|\b[a-z0-9-]{{2,}}\.(?:{_TLDS}|info|shop|me|be|ch|ly|gg|app|site|online)\b"
    rf"|\w(?: \. ?| ?[(\[{{] ?(?:point|dot|\.) ?[)\]}}] ?| (?:point|dot) )(?:{_TLDS})\b"
)

_NUMBER_PART = re.compile(r"[^\W_]+|\n|[^\w\s]")
_DIGITS_AND_LETTERS = re.compile(r"[\doil]*\d[\doil]*")
_DATE = re.compile(r"(?<![\d/.-])\d{1,2}([/. -])\d{1,2}\1(?:19|20)\d\d(?![/.-]?\d)")
_UNITS = frozenset("un une deux trois quatre cinq six sept huit neuf".split())  # noqa: SIM905 a word list
_TEENS = frozenset("dix onze douze treize quatorze quinze seize".split())  # noqa: SIM905 a word list
_TENS = frozenset("vingt vingts trente quarante cinquante soixante".split())  # noqa: SIM905 a word list
_ZERO = frozenset({"zero", "o"})
_LINKS = frozenset({"et", "puis"})
_BETWEEN = 4
_TELEPHONE_DIGITS = 9
# « zéro six douze trente-quatre »: nobody spells out anything else.
_SPELT_DIGITS = 6
_BEGINNINGS = ("0", "33", "o")


def undisguised(folded: str) -> Iterator[str]:
    """Yield the words that are meant: digits and signs for letters, letters apart or drawn out."""
    for chunk in _CHUNK.findall(folded):
        letters = any(map(str.isalpha, chunk))
        if letters and not chunk.isalpha():
            plain = chunk.translate(_LOOKS_LIKE)
            for letter in "il":
                yield re.sub(r"[\W\d_]", "", re.sub(r"[1|]", letter, plain))
    for found in itertools.chain(_APART.findall(folded), _CUT.findall(folded)):
        yield re.sub(r"[\W_]", "", found)
    for word in re.findall(r"[^\W\d_]+", folded):
        yield from _drawn_together(word)


def _drawn_together(word: str) -> Iterator[str]:
    """Yield a drawn out word with each of its long letters once or twice."""
    parts = _DRAWN_OUT.split(word)
    letters = parts[1 : 2 * _MOST_DRAWN_OUT : 2]
    if not letters:
        return
    for times in itertools.product((1, 2), repeat=len(letters)):
        long = (letter * count for letter, count in zip(letters, times, strict=True))
        yield "".join(part for pair in zip(parts[::2], (*long, ""), strict=False) for part in pair)


def masks_a_word(folded: str) -> bool:
    """Return whether signs stand for letters of a word: whoever masks one knows why."""
    return _MASKED.search(folded) is not None


def holds_address(folded: str) -> bool:
    """Return whether a mail, a site or an account is told, also « point fr » and « (at) »."""
    return _ADDRESS.search(folded) is not None


def holds_telephone(folded: str) -> bool:
    """Return whether nine digits or more follow each other, in figures or words, as in a number.

    A date or a price has fewer, and no row of prices begins with a zero.
    """
    count, begins, between, most = 0, False, 0, _TELEPHONE_DIGITS
    for part in _NUMBER_PART.findall(_DATE.sub(" # # # # # ", folded)):
        digits = _digits(part, before=count)
        if digits is not None:
            count, between = count + digits, 0
            most = _SPELT_DIGITS if part == "zero" else most
            begins = begins or _begins_a_number(part, digits)
        elif part not in _LINKS:
            between += 1
            if part[0].isalnum() or part == "\n" or between > _BETWEEN:
                count, begins, most = 0, False, _TELEPHONE_DIGITS
        if begins and count >= most:
            return True
    return False


def _begins_a_number(part: str, digits: int) -> bool:
    """Return whether a telephone number can begin here, unlike the thousands of « 80 000 »."""
    if part in _ZERO or digits > _BETWEEN:
        return True
    return part.startswith(_BEGINNINGS) and part != "000"


def _digits(part: str, *, before: int) -> int | None:
    """Return how many digits a part of a number says; None where it is another word."""
    if part in _ZERO:
        return 1 if part != "o" or before else 0
    if _DIGITS_AND_LETTERS.fullmatch(part):
        return len(part)
    if part in _UNITS:
        return 1
    if part in _TEENS:
        return 2
    return 2 if part in _TENS else None


def is_of_another_script(text: str) -> bool:
    """Return whether a letter is not a Latin one: another language, or letters that look alike."""
    return any(
        character.isalpha() and not unicodedata.name(character, "LATIN").startswith("LATIN")
        for character in unicodedata.normalize("NFKC", text)
        if not character.isascii() and unicodedata.category(character) != "Lm"
    )
