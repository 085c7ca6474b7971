"""Names as a reader sees them: in French case, as page and JSON-LD show them (ADR 19)."""

import functools
from collections.abc import Iterator

from services.reviewer.french.labels import clean_name
from shared.sirene.facts import Facts
from shared.sirene.names import display_form
from shared.sirene.names.display import display_person
from shared.sirene.records import SOLE_TRADER


def shown_name(facts: Facts) -> str:
    """Return the establishment's name in French case."""
    nom = clean_name(facts.nom)
    if facts.categorie_juridique == SOLE_TRADER and facts.nom != facts.enseigne:
        return display_person(nom)
    return shown(nom, facts)


def shown(name: str, facts: Facts) -> str:
    """Return another name of the establishment or its unit in French case."""
    return _displayed(clean_name(name), facts.code_commune, facts.sigle)


# A text asks for the names of its facts several times.
@functools.lru_cache(maxsize=64)
def _displayed(name: str, code_commune: str | None, sigle: str | None) -> str:
    return display_form(name, code_commune=code_commune, sigle=sigle)


def wordings(name: str, facts: Facts) -> Iterator[str]:
    """Yield the name as it is registered and as it is shown, each once, on one line."""
    cleaned = clean_name(name)
    shown_form = shown_name(facts) if name == facts.nom else shown(name, facts)
    yield from dict.fromkeys(filter(None, (cleaned, shown_form, *_turned(cleaned, facts))))


def _turned(name: str, facts: Facts) -> Iterator[str]:
    """Yield « Anne Le Goff » for a sole trader whose caller has « LE GOFF ANNE »."""
    words = name.split()
    if (facts.forme or "").lower().startswith("entrepreneur individuel") and len(words) > 1:
        yield " ".join((words[-1], *words[:-1]))
