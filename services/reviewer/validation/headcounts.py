"""Headcounts in a French text."""

import re
from collections.abc import Iterator

from services.reviewer.validation.numbers import Number, find_numbers

_HEADCOUNT_NOUN = r"(?:salarie|employe|collaborateur|personne|agent|travailleur)e?s?\b"
_NO_HEADCOUNT = re.compile(
    rf"\bn'(?:emploie|y emploie|a|y a|occupe) personne\b|\bpersonne n'(?:y )?(?:est|travaille)"
    rf"|\bni {_HEADCOUNT_NOUN}|\bne \w+ personne\b"
    rf"|\b(?:aucune?|sans|pas de|pas d'|zero|n'\w+ (?:pas|plus)(?: de| d')?)\s*(?:\w+ )?"
    rf"{_HEADCOUNT_NOUN}|\b(?:aucun|sans|pas de) personnel\b"
    rf"|\beffectif (?:est )?nul\b|\b0 {_HEADCOUNT_NOUN}"
)
_PEOPLE = re.compile(rf" ?(?:ou plus |et plus )?(?:de |d')?{_HEADCOUNT_NOUN}")
_EFFECTIF = re.compile(r"\beffectif\b[^.;]*$")
_JOINED = re.compile(r" ?(?:a|ou|et|-|/) ?")
_ROUGHLY = re.compile(
    rf"\b(?:plusieurs|quelques|de nombreux|nombreux|divers|(?:des|plusieurs|quelques) "
    rf"(?:dizaines|centaines|milliers|douzaines)) (?:de |d')?{_HEADCOUNT_NOUN}"
    rf"|\b(?:dizaines|centaines|milliers|douzaines|centaine|millier) (?:de |d')?{_HEADCOUNT_NOUN}"
    r"|\b(?:petite|grande|nombreuse|importante|large) equipe\b"
    r"|\b(?:equipe|effectif|personnel) (?:nombreu(?:x|se)|importante?|reduite?|restreinte?)\b"
)
_TEAM = re.compile(r"\b(?:ils|elles) (?:y )?sont $|\bequipe (?:\w+ )?(?:de|reunit|compte) $")
_ONE_OR = re.compile(r"\bune? (?:a|ou) $")


def denies_headcount(text: str) -> bool:
    return _NO_HEADCOUNT.search(text) is not None


def is_vague(text: str) -> bool:
    """Return whether a vague number is told: « plusieurs salariés », « une petite équipe »."""
    return _ROUGHLY.search(text) is not None


def mentions(text: str) -> Iterator[frozenset[int]]:
    """Yield the numbers of each mention: {3, 5} for « entre 3 et 5 salariés »."""
    group: list[Number] = []
    for number in (*sorted(find_numbers(text), key=lambda number: number.start), None):
        if group and (
            number is None or _JOINED.fullmatch(text[group[-1].end : number.start]) is None
        ):
            if _counts_people(text, group):
                one = {1} if _ONE_OR.search(text[: group[0].start]) is not None else set()
                yield frozenset({number.value for number in group} | one)
            group = []
        if number is not None:
            group.append(number)


def _counts_people(text: str, group: list[Number]) -> bool:
    after = text[group[-1].end : group[-1].end + 40]
    before = text[max(0, group[0].start - 60) : group[0].start]
    return (
        _PEOPLE.match(after) is not None
        or _EFFECTIF.search(before) is not None
        or _TEAM.search(before) is not None
    )
