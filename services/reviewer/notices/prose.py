"""The prose of a notice: one variant of each section, so that no two neighbours clash."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.reviewer.notices.draws import Draws
from services.reviewer.notices.sentences import Variant, sections

_UNIT = re.compile(r"\{UNITE(?:_MAJ)?\}")
# Sections whose subject is the unit, or whose topic it is.
_OF_THE_UNIT = frozenset({"siege", "etablissement", "siege_nomme", "etablissement_nomme"})
_ELSEWHERE = frozenset({"{LIEU_PASSE}", "{IL_ETAIT}", "{DEUX_POINTS_PASSE}", "{DANS}"})
_MOST_ESTABLISHMENTS = 2
_ESTABLISHMENT = re.compile(r"(?i)\bétablissements?\b")
_HERE = re.compile(r"\b(?:y|n’y)\b")
_REGISTER = re.compile(r"répertoire\b(?: Sirene)?")
# Values that are not the template's own words.
_GIVEN = frozenset({"NOM", "QUE_NOM", "DE_NOM", "SUJET", "SUJET_BAS", "ENSEIGNE", "ACTIVITE"})


@dataclass(slots=True)
class _Written:
    """The sentences up to here: the last one is `about_unit`, and leaves the reader `here`."""

    texts: list[str] = field(default_factory=list)
    establishments: int = 0
    beginnings: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    about_unit: bool = False
    here: bool = True


def write(wanted: Iterable[str], values: Mapping[str, str], draws: Draws) -> str:
    """Return the text of these sections; those for which no variant has its values are left out."""
    written = _Written()
    found = {section: list(_variants(section, values, draws)) for section in wanted}
    needed = {section: _least(variants, values) for section, variants in found.items()}
    for section, variants in found.items():
        if variants:
            del needed[section]
            left = _MOST_ESTABLISHMENTS - written.establishments - sum(needed.values())
            faults = [_faults(one, values, written, left) for one in variants]
            _add(variants[faults.index(min(faults))], section, values, written)
    return _REGISTER.sub("répertoire Sirene", " ".join(written.texts), count=1)


def _variants(section: str, values: Mapping[str, str], draws: Draws) -> Iterator[Variant]:
    """Yield those whose slots have values, from a drawn one on."""
    every = sections()[section]
    start = draws.below(len(every), section)
    for variant in (*every[start:], *every[:start]):
        if variant.slots <= values.keys():
            yield variant


def _least(variants: Iterable[Variant], values: Mapping[str, str]) -> int:
    """Return how often a sentence of these must say « établissement »."""
    return min((_establishments(each, values) for each in variants), default=0)


def _faults(variant: Variant, values: Mapping[str, str], written: _Written, left: int) -> int:
    """Return how badly the variant goes with what is written, and with the words `left` to it."""
    return (
        100 * max(0, _establishments(variant, values) - left)
        + 50 * (not written.here and _HERE.search(variant.text) is not None)
        + 50 * ("LE_PRONOM" in variant.slots and not written.about_unit)
        + 10 * (_beginning(variant) in written.beginnings)
        + 5 * (variant.text.split()[0] in written.words)
    )


def _add(variant: Variant, section: str, values: Mapping[str, str], written: _Written) -> None:
    text = variant.text
    of_unit = _UNIT.search(text) is not None
    if written.about_unit:
        text = text.replace("{UNITE}", "{PRONOM}").replace("{UNITE_MAJ}", "{PRONOM_MAJ}")
    written.beginnings.add(_beginning(variant))
    written.words.add(variant.text.split()[0])
    written.establishments += _establishments(variant, values)
    written.about_unit = of_unit or section in _OF_THE_UNIT or "LE_PRONOM" in variant.slots
    written.here = not any(slot in text for slot in _ELSEWHERE)
    written.texts.append(Variant(text, variant.slots).filled(values))


def _beginning(variant: Variant) -> str:
    return " ".join(variant.text.split()[:2])


def _establishments(variant: Variant, values: Mapping[str, str]) -> int:
    own = [variant.text, *(values[slot] for slot in variant.slots - _GIVEN)]
    return sum(len(_ESTABLISHMENT.findall(text)) for text in own)
