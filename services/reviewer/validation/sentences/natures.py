"""The nouns that stand for the legal unit, « cette association », or a name, « le collège »."""

import functools
import re

from services.reviewer.french.data import read_lines
from services.reviewer.french.folding import fold
from services.reviewer.validation import legal_forms

_NOUNS = frozenset(
    """association caisse chambre commune communauté congrégation coopérative copropriété
    département entrepreneur entreprise exploitation fiducie fondation groupement indivision
    institution mutuelle office paroisse région société syndicat union université""".split()  # noqa: SIM905 a word list
)
# A noun that no label has, by the word of the label that it stands for.
_OTHERS = {
    "commune": ("collectivité", "municipalité"),
    "departement": ("collectivité",),
    "region": ("collectivité",),
    "copropriete": ("syndicat", "copropriété"),
}


@functools.lru_cache(maxsize=1024)
def natures(labels: tuple[str, ...]) -> frozenset[str]:
    """Return the nouns, from the folded labels of the legal form and all names of that form."""
    phrases = [
        phrase for group in legal_forms.groups(labels) for phrase in legal_forms.ALIASES[group]
    ]
    said = {word for phrase in (*labels, *phrases) for word in re.findall(r"[a-z]+", phrase)}
    found = {noun for noun in _NOUNS if fold(noun) in said}
    found |= {noun for word in said for noun in _OTHERS.get(word, ())}
    return frozenset(form for noun in found for form in (noun, f"{noun}s"))


_WORD = re.compile(r"[^\W\d_]+")


@functools.lru_cache(maxsize=4096)
def appellations(nom: str) -> frozenset[str]:
    """Return the first noun of the name, by which a text may take it up.

    COLLEGE JEAN MOULIN is « le collège ».
    """
    words = [fold(word) for word in _WORD.findall(nom)[:2]]
    if words and words[0] in {"l", "la", "le", "les"}:
        words = words[1:]
    noun = _nouns().get(words[0]) if words else None
    return frozenset() if noun is None else frozenset({noun})


@functools.cache
def _nouns() -> dict[str, str]:
    return {fold(noun): noun for line in read_lines("appellations.txt") for noun in line.split()}
