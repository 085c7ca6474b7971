"""Everything that a text may say about an establishment, derived from its facts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.reviewer.french.data import formes_juridiques, metiers
from services.reviewer.french.folding import fold, stem, tokenise
from services.reviewer.french.labels import (
    clean_name,
    nom_de_commune,
    readable_activite,
    split_arrondissement,
)
from services.reviewer.validation import legal_forms
from shared.sirene.facts import Facts
from shared.sirene.reference import departements

_MOIS = (
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre".split()  # noqa: SIM905 a word list
)
FUNCTION_WORDS = frozenset(
    """
    a au aux avec autre autres ce ces cet cette comme d dans de des du elle en entre est et hors
    il l la le les leur leurs lors n ne non ou par pas plus pour qu que qui s sa sans sauf se selon
    ses si son sont sous sur tous tout toute toutes un une vers y
    """.split()  # noqa: SIM905 a word list
)
_JOINERS = frozenset("a au aux d de des du en et l la le les ou par pour sur".split())  # noqa: SIM905 a word list
# Words of so many labels that they say nothing about one activity.
_GENERIC = frozenset(
    stem(word)
    for word in """
    activite autre commerce detail gros fabrication service travaux magasin specialise
    interentreprise principal classe classee ailleurs divers similaire
    """.split()  # noqa: SIM905 a word list
)
_TRANCHES: dict[str, frozenset[int]] = {
    "00": frozenset({0}), "01": frozenset({1, 2}), "02": frozenset({3, 5}),
    "03": frozenset({6, 9}), "11": frozenset({10, 19}), "12": frozenset({20, 49}),
    "21": frozenset({50, 99}), "22": frozenset({100, 199}), "31": frozenset({200, 249}),
    "32": frozenset({250, 499}), "41": frozenset({500, 999}), "42": frozenset({1000, 1999}),
    "51": frozenset({2000, 4999}), "52": frozenset({5000, 9999}), "53": frozenset({10000}),
}  # fmt: skip
SHARED_PREFIX = 5
_PLACES = frozenset({"commune", "departement"})


@dataclass(frozen=True, slots=True)
class Literal:
    """A wording of a fact, folded. `capitalised`: only where the text writes a capital or digit."""

    kind: str
    folded: str
    capitalised: bool = False
    hyphens_join: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """`kindred_stems` also ground a word that begins like them: Mâcon grounds no maçonnerie.

    `trade_stems` are everyday names of the activity: one of them tells it.
    `bounds` are the limits of the headcount's tranche, None where no headcount may be told.
    """

    literals: tuple[Literal, ...]
    activity_stems: frozenset[str]
    trade_stems: frozenset[str]
    grounded_stems: frozenset[str]
    kindred_stems: frozenset[str]
    numbers: frozenset[int]
    bounds: frozenset[int] | None
    forms: frozenset[str]
    commune: str | None

    def is_activity_word(self, folded: str) -> bool:
        """Numbers are not: the 5 of « 3,5 tonnes » must not cover that of « 5 000 salariés »."""
        return folded.isalpha() and folded not in _JOINERS and stem(folded) in self.activity_stems

    def joins(self, folded: str) -> bool:
        return folded in _JOINERS

    def telling_stems(self) -> frozenset[str]:
        """The activity's words without those of every second label, if any are left."""
        return self.activity_stems - _GENERIC or self.activity_stems

    def is_grounded(self, folded: str) -> bool:
        root = stem(folded)
        return root in self.grounded_stems or _begins_like(root, self.kindred_stems)


def _begins_like(word: str, stems: frozenset[str]) -> bool:
    prefix = word[:SHARED_PREFIX]
    return len(prefix) == SHARED_PREFIX and any(known.startswith(prefix) for known in stems)


def know(facts: Facts) -> Known:
    commune = nom_de_commune(facts)
    activity = None if facts.activite is None else readable_activite(clean_name(facts.activite))
    literals = (
        *_name_literals(facts),
        *_place_literals(facts, commune),
        *_form_literals(facts),
        *_date_literals(facts),
        *_identifier_literals(facts),
        *_plain("activite", activity, facts.activite),
    )
    stems = _stems(activity)
    trades = _trade_stems(facts)
    return Known(
        literals=literals,
        activity_stems=stems,
        trade_stems=trades,
        grounded_stems=stems | trades | frozenset(_all_stems(literals)),
        kindred_stems=stems | frozenset(_all_stems(literals, but=_PLACES)),
        numbers=_numbers(facts, commune),
        bounds=_bounds(facts),
        forms=legal_forms.groups(_form_labels(facts)),
        commune=commune,
    )


def _plain(kind: str, *wordings: str | None) -> Iterator[Literal]:
    for folded in dict.fromkeys(fold(clean_name(wording)) for wording in wordings if wording):
        if folded:
            yield Literal(kind, folded)


def _name_literals(facts: Facts) -> Iterator[Literal]:
    for nom in dict.fromkeys((facts.nom, facts.enseigne, facts.sigle, facts.denomination)):
        cleaned = clean_name(nom or "")
        if not cleaned:
            continue
        kind = "nom" if nom == facts.nom else "autre_nom"
        bare = re.sub(r"^\W+|\W+$", "", cleaned)
        for wording in dict.fromkeys((fold(cleaned), fold(bare))):
            # One word alone may also be a word of the language: MAISON is a name, maison is not.
            single = wording.isalpha() and any(map(str.isupper, cleaned))
            if wording:
                yield Literal(kind, wording, capitalised=single)


def _place_literals(facts: Facts, commune: str | None) -> Iterator[Literal]:
    for nom in dict.fromkeys((commune, clean_name(facts.commune or ""))):
        for wording in _place_wordings(nom or ""):
            yield Literal("commune", fold(wording), capitalised=True, hyphens_join=True)
    departement = departements().get(facts.departement or "")
    if departement is not None:
        yield Literal("departement", fold(departement.nom), capitalised=True, hyphens_join=True)


def _place_wordings(nom: str) -> Iterator[str]:
    if not nom:
        return
    yield nom
    without_precision = nom.partition(" (")[0]
    if without_precision != nom:
        yield without_precision
    for article, contractions in (("Le ", ("au ", "du ")), ("Les ", ("aux ", "des "))):
        if nom.startswith((article, article.upper())):
            yield from (contraction + nom[len(article) :] for contraction in contractions)
    arrondissement = split_arrondissement(nom)
    if arrondissement is not None:
        ville, rang = arrondissement
        yield ville
        yield f"{ville} ({rang} arrondissement)"
        yield f"{ville} {rang}"
        yield f"{rang} arrondissement"


def _form_labels(facts: Facts) -> tuple[str, ...]:
    known = formes_juridiques().get(facts.categorie_juridique or "")
    labels = (facts.forme, None if known is None else known.libelle)
    return tuple(fold(label) for label in labels if label)


def _form_literals(facts: Facts) -> Iterator[Literal]:
    for folded in _form_labels(facts):
        yield Literal("forme", folded, capitalised=len(folded) <= legal_forms.ACRONYM_LENGTH)
    for group in legal_forms.groups(_form_labels(facts)):
        for alias in legal_forms.ALIASES[group]:
            yield Literal("forme", alias, capitalised=alias.replace(".", "") == group)


def _date_literals(facts: Facts) -> Iterator[Literal]:
    if facts.annee_creation is not None:
        yield Literal("annee", str(facts.annee_creation))
    day = facts.date_creation
    if day is None:
        return
    yield Literal("annee", str(day.year))
    month = _MOIS[day.month - 1]
    for number in dict.fromkeys((str(day.day), "1er" if day.day == 1 else str(day.day))):
        yield Literal("date", f"{number} {month} {day.year}")
    yield Literal("date", f"{month} {day.year}")
    yield Literal("date", f"{day:%d/%m/%Y}")
    yield Literal("date", day.isoformat())


def _identifier_literals(facts: Facts) -> Iterator[Literal]:
    for digits in (facts.siret, facts.siren):
        if len(digits) in {9, 14}:
            groups = (digits[:3], digits[3:6], digits[6:9], digits[9:])
            yield Literal("identifiant", digits)
            yield Literal("identifiant", " ".join(groups).strip())
            yield Literal("identifiant", f"{digits[:9]} {digits[9:]}".strip())
    if facts.activite_code:
        yield Literal("identifiant", fold(facts.activite_code))
        yield Literal("identifiant", fold(facts.activite_code.replace(".", "")))


def _trade_stems(facts: Facts) -> frozenset[str]:
    if facts.nomenclature != "NAFRev2" or facts.activite_code is None:
        return frozenset()
    names = (stems for code, stems in metiers().items() if facts.activite_code.startswith(code))
    return frozenset().union(*names)


def _stems(text: str | None) -> frozenset[str]:
    if text is None:
        return frozenset()
    return frozenset(
        stem(token.folded) for token in tokenise(text) if token.folded not in FUNCTION_WORDS
    )


def _all_stems(
    literals: tuple[Literal, ...], *, but: frozenset[str] = frozenset()
) -> Iterator[str]:
    for literal in literals:
        if literal.kind not in but:
            yield from _stems(literal.folded)


def _numbers(facts: Facts, commune: str | None) -> frozenset[int]:
    found = set(_bounds(facts) or ())
    if facts.annee_creation is not None:
        found.add(facts.annee_creation)
    if facts.date_creation is not None:
        found |= {facts.date_creation.year}
    for text in (commune, facts.activite, facts.departement):
        found |= {int(number) for number in re.findall(r"[0-9]+", text or "")}
    return frozenset(found)


def _bounds(facts: Facts) -> frozenset[int] | None:
    if facts.tranche_effectifs is not None:
        return _TRANCHES.get(facts.tranche_effectifs)
    label = fold(facts.effectif or "")
    if not label:
        return None
    if label.startswith(("aucun", "sans", "0 ")):
        return frozenset({0})
    numbers = re.findall(r"[0-9]+", re.sub(r"(?<=[0-9]) (?=[0-9]{3}\b)", "", label))
    return frozenset(map(int, numbers)) or None
