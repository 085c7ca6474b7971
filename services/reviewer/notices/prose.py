"""The prose of a notice: one variant of each section, so that no two neighbours clash."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.reviewer.french.folding import MOST_WORDS, tokenise
from services.reviewer.notices.draws import Draws
from services.reviewer.notices.outline import ACTIVITY
from services.reviewer.notices.sentences import Variant, fill, roots, sections

_UNIT = re.compile(r"\{UNITE(?:_MAJ)?\}")
# Openings that name the unit; « il » would be the siège or the establishment of some.
_OF_THE_UNIT = frozenset({"siege", "etablissement", "siege_nomme", "etablissement_nomme"})
_OF_THE_PLACE = re.compile(r"^Le siège|se trouve (?:le siège|un établissement)")
_OF_THE_ACTIVITY = frozenset({"GROUPE", "INTITULE"})
_MOST_ESTABLISHMENTS = 2
_ESTABLISHMENT = re.compile(r"(?i)\bétablissements?\b")
_HERE = re.compile(r"\b(?:y|n’y|Son)\b")
_OF_HERS = re.compile(r"\{LE_PRONOM\}|\bsa\b")
_BY_YEAR = re.compile(r"^(?:Fin|À la fin)\b")
_TO_YEAR = re.compile(r"fin \{\w+\}\.$")
_REGISTER = re.compile(r"répertoire\b(?: Sirene)?")
# Values that are not the template's own words.
_GIVEN = frozenset(
    {"NOM", "SUJET", "SUJET_BAS", "ENSEIGNE", "L_AUTRE_NOM", "ACTIVITE", "INTITULE", "RUBRIQUE"}
)


@dataclass(slots=True)
class _Written:
    """The sentences up to here: the last one is `about_unit`, and leaves the reader `here`.

    `last` is the last one with its slots.
    """

    texts: list[str] = field(default_factory=list)
    length_words: int = 0
    establishments: int = 0
    beginnings: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    names_register: bool = False
    tells_activity: bool = False
    about_unit: bool = False
    here: bool = True
    last: str = ""

    def fits(self, more_words: int, most_words: int) -> bool:
        """Return whether there is room for these words; an opening always has room."""
        return not self.texts or self.length_words + more_words <= most_words


def write(wanted: Iterable[str], values: Mapping[str, str], draws: Draws) -> str:
    """Return the text of these sections.

    A section is left out where no variant has its values, or where it would make the text too long.
    """
    written = _Written()
    found = {section: list(_variants(section, values, draws)) for section in wanted}
    needed = {section: _least(variants, values) for section, variants in found.items()}
    for section, variants in found.items():
        if variants and not (section == ACTIVITY and written.tells_activity):
            del needed[section]
            left = _MOST_ESTABLISHMENTS - written.establishments - sum(needed.values())
            faults = [_faults(one, values, written, left) for one in variants]
            chosen = variants[faults.index(min(faults))]
            kept_words = _shortest(found[ACTIVITY], values) if ACTIVITY in needed else 0
            most_words = MOST_WORDS - kept_words
            if section == ACTIVITY or written.fits(_words(chosen, values), most_words):
                _add(chosen, section, values, written)
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
    text = variant.text
    return (
        100 * max(0, _establishments(variant, values) - left)
        + 50 * (not written.here and _HERE.search(text) is not None)
        + 50 * (not written.about_unit and _OF_HERS.search(text) is not None)
        + 20 * _repeats(variant, values, written)
        + 10 * (_beginning(variant) in written.beginnings)
        + 10 * (_BY_YEAR.search(text) is not None and _TO_YEAR.search(written.last) is not None)
        + 5 * (text.split()[0] in written.words)
        + 5 * (written.names_register and _REGISTER.search(text) is not None)
    )


def _repeats(variant: Variant, values: Mapping[str, str], written: _Written) -> bool:
    """Return whether the sentence says a noun twice: « Activité : activités juridiques »."""
    told = [] if variant.slots.isdisjoint({"ACTIVITE", "INTITULE"}) else roots(values["ACTIVITE"])
    if not written.about_unit and _UNIT.search(variant.text) is not None:
        told += roots(values["UNITE"])
    return not variant.words.isdisjoint(told[:2])


def _add(variant: Variant, section: str, values: Mapping[str, str], written: _Written) -> None:
    text = variant.text
    about_unit = _UNIT.search(text) is not None or _OF_HERS.search(text) is not None
    if section in _OF_THE_UNIT:
        about_unit = _OF_THE_PLACE.search(text) is None or values["PRONOM"] == "elle"
    if written.about_unit:
        text = text.replace("{UNITE}", "{PRONOM}").replace("{UNITE_MAJ}", "{PRONOM_MAJ}")
    written.beginnings.add(_beginning(variant))
    written.words.add(variant.text.split()[0])
    written.establishments += _establishments(variant, values)
    written.tells_activity |= not _OF_THE_ACTIVITY.isdisjoint(variant.slots)
    written.names_register |= _REGISTER.search(text) is not None
    written.about_unit = about_unit or "L_AUTRE_NOM" in variant.slots
    # « Y » and « son » are of the opening's place; a count in between has a place of its own.
    written.here = not written.texts
    written.last = text
    written.length_words += _words(variant, values)
    written.texts.append(fill(text, values))


def _words(variant: Variant, values: Mapping[str, str]) -> int:
    given = dict.fromkeys(variant.slots & _GIVEN, "X")
    return len(tokenise(fill(variant.text, {**values, **given})))


def _shortest(variants: Iterable[Variant], values: Mapping[str, str]) -> int:
    return min((_words(each, values) for each in variants), default=0)


def _beginning(variant: Variant) -> str:
    """Return the first two words: « L’activité enregistrée est » and « Activité enregistrée : »."""
    return " ".join(variant.text.removeprefix("L’").lower().split()[:2])


def _establishments(variant: Variant, values: Mapping[str, str]) -> int:
    own = [variant.text, *(values[slot] for slot in variant.slots - _GIVEN)]
    return sum(len(_ESTABLISHMENT.findall(text)) for text in own)
