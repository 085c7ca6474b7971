"""The words of a name or a query, and the keys by which near words find each other. Pure."""

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence

_TO_ASCII = str.maketrans(
    {
        "œ": "oe",
        "Œ": "oe",
        "æ": "ae",
        "Æ": "ae",
        "ß": "ss",
        "ø": "o",
        "Ø": "o",
        **dict.fromkeys("’ʼ‘`´", "'"),
    }
)
_INITIALS = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?|\b(?:[a-z] ){2,}[a-z]\b")
_APART = bytes(code if chr(code).isalnum() else ord(" ") for code in range(128)).ljust(256)
"""ASCII's letters and digits as they are, and a space for all else."""
_WORD_LETTERS = 40
_SHORT_FORMS = {
    "st": "saint",
    "ste": "sainte",
    "sts": "saints",
    "stes": "saintes",
    "cie": "compagnie",
    "ets": "etablissements",
    "etb": "etablissements",
    "etablissement": "etablissements",
    "soc": "societe",
    "gge": "garage",
    "bd": "boulevard",
    "bvd": "boulevard",
    "av": "avenue",
    "ass": "association",
    "assoc": "association",
    "synd": "syndicat",
    "copr": "copropriete",
    "dr": "docteur",
    "n": "",
    "no": "",
    "mr": "monsieur",
    "mme": "madame",
}
_FORMS = """
    sarl sas sasu eurl sa sci scp snc scm selarl selas selasu eirl ei gaec earl scea gie scop
    societe entreprise etablissements groupe monsieur madame
"""
FORMS = frozenset(_FORMS.split())
"""Words that tell nothing of who it is: a query may hold them where the name does not."""
_PHRASES = """
    societe a responsabilite limitee, societe par actions simplifiee, societe anonyme,
    societe civile immobiliere, societe civile de moyens, societe civile professionnelle,
    societe en nom collectif, societe en commandite simple, societe en commandite par actions,
    societe d exercice liberal, societe cooperative et participative, entreprise individuelle,
    entreprise unipersonnelle a responsabilite limitee,
    societe par actions simplifiee unipersonnelle,
    exploitation agricole a responsabilite limitee, groupement agricole d exploitation en commun,
    groupement d interet economique
"""
FORM_PHRASES = tuple(
    sorted((tuple(phrase.split()) for phrase in _PHRASES.split(",")), key=len, reverse=True)
)
"""Legal forms that are written out, the longest first."""
_PHRASE_BEGINNINGS = frozenset(phrase[0] for phrase in FORM_PHRASES)
_STOP_WORDS = "l d le la les de du des et a au aux en sur sous chez un une"
STOP_WORDS = frozenset(_STOP_WORDS.split())

_MENDED_LETTERS = range(4, 25)


def words_of(text: str) -> list[str]:
    """Return the words in their order: ASCII, lower case, short forms written out.

    Initials are one word, with or without points.
    """
    plain = _plain(text)
    words = _split(plain)
    # Initials are two letters alone, or more. Most names have none.
    if [len(word) for word in words].count(1) > 1:
        words = _split(_INITIALS.sub(lambda found: f" {re.sub(r'[. ]', '', found[0])} ", plain))
    written = [_SHORT_FORMS.get(word, word) for word in words]
    return [word[:_WORD_LETTERS] for word in written if word]


def _split(plain: str) -> list[str]:
    return plain.encode().translate(_APART).decode().split()


def telling(words: Sequence[str]) -> list[str]:
    """Return the words without stop words and legal forms, as far as something is left."""
    bare = [word for word in words if word not in STOP_WORDS]
    left = [word for word in _without_phrases(words) if word not in STOP_WORDS]
    return [word for word in left if word not in FORMS] or bare or list(words)


def _without_phrases(words: Sequence[str]) -> list[str]:
    left, at = [], 0
    while at < len(words):
        of_phrase = 0
        if words[at] in _PHRASE_BEGINNINGS:
            following = tuple(words[at : at + len(FORM_PHRASES[0])])
            of_phrase = next((len(p) for p in FORM_PHRASES if following[: len(p)] == p), 0)
        if not of_phrase:
            left.append(words[at])
        at += of_phrase or 1
    return left


def whole_name(words: Sequence[str]) -> str:
    """Return the lexeme of a name as a whole: names of the same telling words share it."""
    return f"m={zlib.crc32(' '.join(telling(words)).encode()):08x}"


def may_be_mended(word: str) -> bool:
    """Return whether near words are looked for: not of numbers, nor of very short or long words."""
    return len(word) in _MENDED_LETTERS and not word.isdigit()


def variants(word: str) -> list[int]:
    """Return hashes of the word and of the word less one letter, as int4.

    Two words with at most one edit between them share one. There are none for words that are not
    mended.
    """
    return sorted({_hash(each) for each in _shortened(word)}) if may_be_mended(word) else []


def edits_allowed(word: str) -> int:
    """Return the number of edits by which a word that is meant may differ."""
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2  # noqa: PLR2004  # lengths of words


def _plain(text: str) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.translate(_TO_ASCII))
        text = decomposed.encode("ascii", "ignore").decode()
    return text.lower()


def _shortened(word: str) -> Iterator[str]:
    yield word
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def _hash(word: str) -> int:
    return zlib.crc32(word.encode()) - 2**31
