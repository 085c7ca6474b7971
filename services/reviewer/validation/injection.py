"""The rule on texts that obey an order in a name: strangers choose names."""

import re

from services.reviewer.french.data import vocabulaire
from services.reviewer.french.folding import fold, stem
from services.reviewer.validation.checked_text import CheckedText
from services.reviewer.validation.lexicon import said

_ORDER = re.compile(
    r"\b(?:reponds?|repondez|ecris|ecrivez|dis|dites|affiche[rz]?|repete[rz]?|imprime[rz]?|say|print"
    r"|reply|respond|output|write|return|answer)\b"
    r"(?: (?:que|par|avec|seulement|uniquement|le mot|with|only|the word))* (\w{4,})"
)


def injection_suspect(checked: CheckedText) -> bool:
    """Return whether words of an order are outside the facts, or a word that a name asks for."""
    if said("injection_suspect", checked):
        return True
    facts = checked.facts
    ordered = (
        word
        for nom in (facts.nom, facts.enseigne, facts.sigle, facts.denomination)
        for word in _ORDER.findall(fold(nom or ""))
    )
    # A shop may be named « Dis les fleurs »: an everyday word proves nothing.
    return any(
        word in checked.unread.spoken and stem(word) not in vocabulaire() for word in ordered
    )
