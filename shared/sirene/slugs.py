"""The address of a page: lower-case words of its name and commune, and its siret. Pure."""

import functools
import re
import unicodedata

_SLUG_NOM_LENGTH = 60
_SLUG_COMMUNE_LENGTH = 40
_NAMELESS = "etablissement"
# Letters that Unicode does not decompose; an apostrophe parts two words like any other sign.
_TO_ASCII = str.maketrans(
    {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o", "Ø": "o", "’": "'", "ʼ": "'"}
)
_NO_WORD = re.compile(r"[^a-z0-9]+")


def slug_of(nom: str | None, commune: str | None, siret: str) -> str:
    """Return lower-case ASCII; the siret makes it unique, the rest is for readers."""
    parts = (_ascii(nom or "", _SLUG_NOM_LENGTH) or _NAMELESS, _ascii_commune(commune or ""), siret)
    return "-".join(part for part in parts if part)


def anonymous_slug(siret: str, commune: str | None) -> str:
    """Return the slug of a page whose name must not be shown."""
    return slug_of(None, commune, siret)


def _ascii(text: str, length: int) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.translate(_TO_ASCII))
        text = decomposed.encode("ascii", "ignore").decode()
    return _NO_WORD.sub("-", text.lower()).strip("-")[:length].rstrip("-")


@functools.lru_cache(maxsize=4096)
def _ascii_commune(commune: str) -> str:
    return _ascii(commune, _SLUG_COMMUNE_LENGTH)
