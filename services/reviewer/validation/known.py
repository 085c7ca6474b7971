"""The wordings, words and numbers that a text may use, derived from the facts."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.reviewer.french.clauses import clause
from services.reviewer.french.data import formes_juridiques, metiers, regions
from services.reviewer.french.folding import fold, stem, tokenise
from services.reviewer.french.labels import (
    clean_name,
    nom_de_commune,
    readable_activite,
    split_arrondissement,
)
from services.reviewer.french.names import wordings
from services.reviewer.french.phrases import EFFECTIFS
from services.reviewer.validation import legal_forms
from services.reviewer.validation.literals import (
    UNMASKED,
    Literal,
    counts,
    date_literals,
    former_literals,
    place_literals,
    years,
)
from shared.sirene.facts import Facts
from shared.sirene.reference import departements, libelles_de

FUNCTION_WORDS = frozenset(
    """
    a au aux avec autre autres ce ces cet cette comme d dans de des du elle en entre est et hors
    il l la le les leur leurs lors n ne non ou par pas plus pour qu que qui s sa sans sauf se selon
    ses si son sont sous sur tous tout toute toutes un une vers y
    """.split()  # noqa: SIM905 a word list
)
JOINERS = frozenset("a au aux d de des du en et l la le les ou par pour sur".split())  # noqa: SIM905 a word list
# These words are in too many labels to say anything about one activity.
_GENERIC = frozenset(
    stem(word)
    for word in """
    activite autre commerce detail gros fabrication service travaux magasin specialise
    interentreprise principal classe classee ailleurs divers similaire
    """.split()  # noqa: SIM905 a word list
)
EXCEPTION = re.compile(
    r"[(,]?\s*((?:à l[’']exception|à l[’']exclusion|sauf|hors|autres? que|non compris)\b[^),;]*)\)?"
)
"""A label's exception is no activity: « culture de céréales (à l’exception du riz) »."""
_TRANCHES = {
    tranche: frozenset(bound for bound in bounds if bound is not None)
    for tranche, bounds in EFFECTIFS.items()
} | {"00": frozenset({0})}
ORDINALS = tuple(
    """premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième
    onzième douzième treizième quatorzième quinzième seizième dix-septième dix-huitième
    dix-neuvième vingtième""".split()  # noqa: SIM905 a word list
)
_ACRONYM = re.compile(r"\(([A-Z]{3,7})\)")
_SHARED_PREFIX = 5
_LEAST_NAME_WORDS = 2
# A clause is told as it stands: its words alone tell no activity, nor do those of a former one.
_AS_IT_STANDS = frozenset({"clause"}) | UNMASKED
_PLACES = frozenset({"commune", "departement", "region", "voie", "commune_avant", "voie_avant"})


@dataclass(frozen=True, slots=True)
class Known:
    """`grounded_stems` ground the same word, `kindred_stems` also a word that begins alike.

    Places are not kindred: Mâcon grounds no maçonnerie. One of the `trade_stems`, the everyday
    names of the activity, is enough to tell it. `bounds` are the limits of the headcount's
    tranche, `unit_bounds` those of the unit's; None where no headcount may be told.
    """

    literals: tuple[Literal, ...]
    activity_stems: frozenset[str]
    trade_stems: frozenset[str]
    grounded_stems: frozenset[str]
    kindred_stems: frozenset[str]
    numbers: frozenset[int]
    bounds: frozenset[int] | None
    unit_bounds: frozenset[int] | None
    forms: frozenset[str]
    commune: str | None

    def is_activity_word(self, folded: str) -> bool:
        """Return False for numbers: the 5 of « 3,5 tonnes » must not cover « 5 000 salariés »."""
        return folded.isalpha() and folded not in JOINERS and stem(folded) in self.activity_stems

    def telling_stems(self) -> frozenset[str]:
        """Return the activity's words without the generic ones, or all where none is left."""
        return self.activity_stems - _GENERIC or self.activity_stems

    def is_grounded(self, folded: str) -> bool:
        root = stem(folded)
        return root in self.grounded_stems or begins_like(root, self.kindred_stems)


def begins_like(word: str, stems: Iterable[str]) -> bool:
    """Return whether the word shares its first five letters with one of the stems."""
    prefix = word[:_SHARED_PREFIX]
    return len(prefix) == _SHARED_PREFIX and any(known.startswith(prefix) for known in stems)


@functools.lru_cache(maxsize=32)
def know(facts: Facts) -> Known:
    """Return what may be said; a text and its later versions ask for the same facts."""
    commune = nom_de_commune(facts)
    activity = None if facts.activite is None else readable_activite(clean_name(facts.activite))
    literals = (
        *_name_literals(facts, commune),
        *_place_literals(facts, commune),
        *place_literals(facts, commune),
        *former_literals(facts),
        *_form_literals(facts),
        *date_literals(facts),
        *_identifier_literals(facts),
        *_plain("activite", activity, facts.activite),
        *_plain("clause", clause(facts)),
        *_plain("exception", *EXCEPTION.findall(activity or "")),
    )
    stems = _stems(activity)
    names = trades_by_label().get(fold(activity or ""), frozenset())
    trades = frozenset(stem(fold(name)) for name in names)
    return Known(
        literals=literals,
        activity_stems=stems,
        trade_stems=trades,
        grounded_stems=stems | trades | frozenset(_all_stems(literals, but=_AS_IT_STANDS)),
        kindred_stems=stems | frozenset(_all_stems(literals, but=_PLACES | _AS_IT_STANDS)),
        numbers=_numbers(facts, commune),
        bounds=_bounds(facts.tranche_effectifs, facts.effectif),
        unit_bounds=_bounds(facts.unite_tranche_effectifs, facts.unite_effectif),
        forms=legal_forms.groups(form_labels(facts)),
        commune=commune,
    )


def _plain(kind: str, *wordings: str | None) -> Iterator[Literal]:
    for folded in dict.fromkeys(fold(clean_name(wording)) for wording in wordings if wording):
        if folded:
            yield Literal(kind, folded)


def _name_literals(facts: Facts, commune: str | None) -> Iterator[Literal]:
    official = fold(commune or "")
    plain = re.sub(r"[-']", " ", official)
    for nom in dict.fromkeys((facts.nom, facts.enseigne, facts.sigle, facts.denomination)):
        kind = "nom" if nom == facts.nom else "autre_nom"
        capitals = any(map(str.isupper, nom or ""))
        found: list[str] = []
        for cleaned in wordings(nom or "", facts):
            bare = fold(re.sub(r"^\W+|\W+$", "", cleaned))
            hyphened = bare.replace(plain, official) if plain else bare
            found += [fold(cleaned), bare, without_form(bare), hyphened]
        without = without_article(found[1]) if found else None
        if without is not None:
            yield Literal(kind, without, capitalised=True)
        for wording in filter(None, dict.fromkeys(found)):
            # A single word may also be a French word: MAISON is a name, maison is not.
            yield Literal(kind, wording, capitalised=wording.isalpha() and capitals)


def without_form(folded: str) -> str:
    """Return « les batisseurs de vilaine » for « scop les batisseurs de vilaine »."""
    words = folded.split(" ")
    acronyms = legal_forms.ALIASES
    while len(words) > _LEAST_NAME_WORDS and words[0].replace(".", "") in acronyms:
        words = words[1:]
    while len(words) > _LEAST_NAME_WORDS and words[-1].replace(".", "") in acronyms:
        words = words[:-1]
    return " ".join(words)


def without_article(folded: str) -> str | None:
    """Return what « du » and « des » leave of a name: « moulins de brie » of « les moulins … »."""
    article, _, rest = folded.partition(" ")
    return rest if article in {"le", "les"} and rest else None


def _place_literals(facts: Facts, commune: str | None) -> Iterator[Literal]:
    for nom in dict.fromkeys((commune, clean_name(facts.commune or ""))):
        for wording in _place_wordings(nom or ""):
            capitalised = not wording[0].islower()
            yield Literal("commune", fold(wording), capitalised=capitalised, hyphens_join=True)
    departement = departements().get(facts.departement or "")
    if departement is not None:
        yield Literal("departement", fold(departement.nom), capitalised=True, hyphens_join=True)
    region = regions().get(facts.region or ("" if departement is None else departement.region))
    if region is not None:
        yield Literal("region", fold(region.nom), capitalised=True, hyphens_join=True)


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
        yield f"{ORDINALS[int(rang.rstrip('er')) - 1]} arrondissement"


def form_labels(facts: Facts) -> tuple[str, ...]:
    known = formes_juridiques().get(facts.categorie_juridique or "")
    labels = (facts.forme, None if known is None else known.libelle)
    return tuple(fold(label) for label in labels if label)


def _form_literals(facts: Facts) -> Iterator[Literal]:
    for folded in form_labels(facts):
        yield Literal("forme", folded, capitalised=len(folded) <= legal_forms.ACRONYM_LENGTH)
    for acronym in _ACRONYM.findall(facts.forme or ""):
        yield Literal("forme", fold(acronym), capitalised=True)
        yield Literal("forme", fold(_ACRONYM.sub("", facts.forme or "")))
    for group in legal_forms.groups(form_labels(facts)):
        for alias in legal_forms.ALIASES[group]:
            yield Literal("forme", alias, capitalised=alias.replace(".", "") == group)


def _identifier_literals(facts: Facts) -> Iterator[Literal]:
    for digits in (facts.siret, facts.siren):
        if len(digits) in {9, 14}:
            groups = (digits[:3], digits[3:6], digits[6:9], digits[9:])
            yield Literal("identifiant", digits)
            yield Literal("identifiant", " ".join(groups).strip())
            yield Literal("identifiant", f"{digits[:9]} {digits[9:]}".strip())


@functools.cache
def trades_by_label() -> Mapping[str, frozenset[str]]:
    """Return the everyday names by folded label: equal labels mean equal activities.

    Another label of NAF 2025 has the words that follow from itself: INSEE's table of
    correspondences is one to many, and a guess would be a claim.
    """
    found: dict[str, frozenset[str]] = {}

    def give(libelle: str, names: Iterable[tuple[str, ...]]) -> None:
        label = fold(readable_activite(clean_name(libelle)))
        found[label] = found.get(label, frozenset()).union(*names)

    for code, libelle in libelles_de("NAFRev2").items():
        give(libelle, (names for start, names in metiers().items() if code.startswith(start)))
    for code, libelle in libelles_de("NAF2025").items():
        give(libelle, (metiers().get(code, ()),))
    return MappingProxyType(found)


@functools.lru_cache(maxsize=4096)
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
    found = set(_bounds(facts.tranche_effectifs, facts.effectif) or ())
    found |= _bounds(facts.unite_tranche_effectifs, facts.unite_effectif) or frozenset()
    found |= {number for _, number in (*years(facts), *counts(facts))}
    for text in (commune, facts.activite, facts.departement):
        found |= {int(number) for number in re.findall(r"[0-9]+", text or "")}
    return frozenset(found)


def _bounds(tranche: str | None, effectif: str | None) -> frozenset[int] | None:
    if tranche is not None:
        return _TRANCHES.get(tranche)
    label = fold(effectif or "")
    if not label:
        return None
    if label.startswith(("aucun", "sans", "0 ")):
        return frozenset({0})
    numbers = re.findall(r"[0-9]+", re.sub(r"(?<=[0-9]) (?=[0-9]{3}\b)", "", label))
    return frozenset(map(int, numbers)) or None
