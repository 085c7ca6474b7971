"""The nouns that may stand for the legal unit: « cette association », « la coopérative »."""

import functools
import re

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
