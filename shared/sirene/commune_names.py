"""The name of a commune, of INSEE's table and of INSEE's record. Pure."""

import functools
import re
import unicodedata

from shared.sirene.reference import COG_YEAR, libelle_commune

_LETTERS = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})
_ARRONDISSEMENT = re.compile(r"(.+) \d+er? arrondissement")
_NUMBER = re.compile(r" \d+(?:er|e|eme)?(?: arrondissement)?")


def commune_name(code: str, sent: str | None, treated_in: int | None) -> str | None:
    """Return the name of a record's commune.

    INSEE's table has accents and capitals, its records have neither: the table's spelling is taken
    for the same name. Another name is taken where the table does not know the code, or where the
    record was treated in a year that the table does not cover: the commune has a new name.
    """
    official = libelle_commune(code)
    if official is None or sent is None or is_same_commune(sent, official):
        return official or sent
    return sent if treated_in is not None and treated_in > COG_YEAR else official


# Some 35 000 communes, some of them spelt in two ways.
@functools.lru_cache(maxsize=100_000)
def is_same_commune(sent: str, official: str) -> bool:
    """Return whether both are one name: ST DENIS, PARIS 7, BORS for « Bors (…) » are usual."""
    said, known = plain_commune(sent), plain_commune(official)
    if said == known or said == plain_commune(official.partition(" (")[0]):
        return True
    arrondissement = _ARRONDISSEMENT.fullmatch(known)
    if arrondissement is None:
        return False
    city = arrondissement[1]
    return said.startswith(city) and re.fullmatch(_NUMBER, said[len(city) :] or " 0") is not None


def plain_commune(name: str) -> str:
    """Return the words without accents, capitals and signs, « saint » written out."""
    letters = unicodedata.normalize("NFKD", name.translate(_LETTERS)).lower()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    words = re.findall(r"[^\W_]+", plain)
    return " ".join({"st": "saint", "ste": "sainte"}.get(word, word) for word in words)
