"""Authors who seem to be the firm itself, or whoever publishes the reviews. Pure.

A firm's review of itself is a false one (Code de la consommation, L121-4, 27°): a person has to
look, so it is a warning.
"""

import re
from collections.abc import Iterable

from services.reviewer.french.folding import fold
from services.reviewer.reviews.people import is_full_name

_OFFICES = re.compile(
    r"\b(?:gerante?s?|(?:co)?proprietaires?|patron(?:ne)?s?|dirigeante?s?|direct(?:ion|eur|rice)s?"
    r"|president(?:e|s)?|fondat(?:eur|rice)s?|associee?s?|editeurs?|editrice|redact(?:ion|eur|rice)s?"
    r"|moderat(?:ion|eur|rice)s?|admin(?:istrat(?:ion|eur|rice))?s?|webmaster|equipe|staff"
    r"|etablissement|entreprise|societe|responsable|manager|community|service client|support"
    r"|communication|marketing|agence|la maison|le magasin|la boutique)\b"
)
# Words that a firm's name shares with many: its form, its trade, its articles.
_SHARED = frozenset(
    """
    le la les l de du des d et a au aux chez en sur sa sas sasu sarl eurl sci ets etablissements
    societe entreprise maison groupe france restaurant bar cafe hotel garage salon boulangerie
    atelier coiffure boutique
    """.split()  # noqa: SIM905 a word list
)


def warning_about(author_label: str, names: Iterable[str]) -> str | None:
    """Return why the author may be no customer, or is named in full; it never holds the label."""
    if _OFFICES.search(_plain(author_label)):
        return "the author is named like the firm's or the site's own people"
    if is_named_like(author_label, names):
        return "the author is named like the firm: the review is not quoted"
    if is_full_name(author_label):
        return "the author is named in full: the review is not quoted"
    return None


def is_named_like(author_label: str, names: Iterable[str]) -> bool:
    """Return whether the author bears one of the firm's names."""
    author = _plain(author_label)
    own = frozenset(author.split()) - _SHARED
    for name in names:
        named = _plain(name)
        words = frozenset(named.split()) - _SHARED
        if author == named or (words and words <= own):
            return True
    return False


def _plain(label: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", fold(label)))
