"""Reviews that tell of another trade: they stand on the wrong page. Pure."""

import functools
import re
from collections.abc import Mapping

from services.reviewer.french.data import read_lines
from services.reviewer.french.folding import fold
from shared.sirene.facts import Facts

# Said of the whole place, not of a part of it: « le bar de l'hôtel » is no other firm.
_OF_THE_PLACE = re.compile(
    r"(?:^|[.!?…] ?)(?:(?:une?|cette?|ce|mon|ma|notre|le|la) )?(?:vraie?s? )?"
    r"(?:tres |trop |vraiment )?(?:super|bon|bonne|excellente?|meilleure?|petite?|grande?|belle|bel"
    r"|beau|jolie?|sympathique|sympa|cet|cette|ce|genial|geniale|top) "
    r"(?:petite? |grande? |bonne? )?"
    r"(?:(?:magasin|boutique|salon|cabinet|agence|atelier) d[e'] ?)?(\w+)"
)


def tells_another_trade(words: str, facts: Facts) -> bool:
    """Return whether a place of another trade is praised or blamed; an unknown trade is none."""
    if facts.activite is None:
        return False
    own = fold(f"{facts.activite} {facts.nom} {facts.enseigne or ''} {facts.denomination or ''}")
    told = (_trades().get(noun) for noun in _OF_THE_PLACE.findall(fold(words)))
    return any(stems is not None and not any(stem in own for stem in stems) for stems in told)


@functools.cache
def _trades() -> Mapping[str, tuple[str, ...]]:
    """Return by the noun of a place what an activity of its trade may hold."""
    found = {}
    for line in read_lines("commerces.txt"):
        nouns, stems = line.split(":")
        allowed = tuple(fold(stem) for stem in stems.split())
        found.update({fold(noun): allowed for noun in nouns.split()})
    return found
