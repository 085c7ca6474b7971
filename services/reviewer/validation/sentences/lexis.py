"""The words, numbers and names that the facts allow, by the symbols of the grammar."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.reviewer.french.data import formes_juridiques, read_lines
from services.reviewer.french.folding import fold
from services.reviewer.french.labels import clean_name, readable_activite, split_arrondissement
from services.reviewer.french.names import wordings
from services.reviewer.validation import legal_forms
from services.reviewer.validation.known import Known, form_labels, without_article, without_form
from services.reviewer.validation.literals import counts, has_two_names, unit_band_year, years
from services.reviewer.validation.sentences.activity import ActivityWords, activity_words, forms
from services.reviewer.validation.sentences.conditions import conditions, unit_bounds
from services.reviewer.validation.sentences.places import LocalAdjectives, places_of
from shared.sirene.facts import Facts
from shared.sirene.names.lexicon import french
from shared.sirene.reference import libelles_de

_NO_WORDS = activity_words("")
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
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Lexis:
    """The words that the facts allow, computed once for a text.

    `words` are the words of each symbol of the grammar, `numbers` the symbols of each number,
    `names` those of names. `years` are the symbols of years, which no space
    divides; `dates` has the year or month of the facts that are told with it.
    """

    known: Known
    activity: ActivityWords
    places: LocalAdjectives
    words: tuple[tuple[str, frozenset[str]], ...]
    numbers: Mapping[int, frozenset[str]]
    years: frozenset[str]
    codes: Mapping[str, frozenset[str]]
    flags: frozenset[str]
    names: Mapping[str, frozenset[str]]
    short_names: frozenset[str]
    own_name: frozenset[str]
    departement: str | None
    town: str | None
    code_postal: str | None
    dates: Mapping[str, object]

    @classmethod
    def of(cls, facts: Facts, known: Known) -> "Lexis":
        label = readable_activite(clean_name(facts.activite or ""))
        activity, names = activity_words(label), _names(facts)
        former = _former_words(facts)
        return cls(
            known=known,
            activity=activity,
            places=places_of(known.commune, facts.departement),
            words=(
                ("<tete>", activity.heads),
                ("<mot>", activity.words),
                ("<apres_non>", activity.negated),
                ("<acte>", activity.verbs),
                ("<acte_passe>", activity.past),
                ("<acte_ant>", activity.doing),
                ("<exclu>", activity.excepted),
                ("<metier>", activity.trades),
                ("<ancienne_tete>", former.heads),
                ("<ancien_mot>", former.words),
                ("<sorte>", natures(form_labels(facts))),
                ("<mot_forme>", _form_words(facts)),
                ("<appellation>", appellations(facts.nom)),
            ),
            numbers=_numbers(facts, known),
            years=frozenset(f"<{name}>" for name, _ in years(facts)),
            codes=_codes(label),
            flags=conditions(facts, known, activity),
            names=names,
            short_names=frozenset(_short_names(facts.nom)),
            own_name=names.get(fold(clean_name(facts.nom)), frozenset({"<nom>"})),
            departement=facts.departement,
            town=_town(known.commune or ""),
            code_postal=facts.code_postal,
            dates=_dates(facts),
        )


def _dates(facts: Facts) -> Mapping[str, object]:
    context = facts.context
    dates = {
        "effectif": facts.annee_effectifs,
        "effectif_unite": unit_band_year(facts),
        "categorie": facts.annee_categorie_entreprise,
        "etablissements": None if context.sites is None else context.sites.month,
        "metier": None if context.trade is None else context.trade.month,
    }
    return MappingProxyType({fact: date for fact, date in dates.items() if date is not None})


def _town(commune: str) -> str | None:
    """Return the town whose arrondissement the commune is."""
    arrondissement = split_arrondissement(commune)
    return None if arrondissement is None else fold(arrondissement[0])


def _former_words(facts: Facts) -> ActivityWords:
    former = facts.context.former_activites
    return activity_words(readable_activite(clean_name(former[0].value))) if former else _NO_WORDS


def _numbers(facts: Facts, known: Known) -> Mapping[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for name, number in (*years(facts), *counts(facts)):
        found.setdefault(number, set()).add(f"<{name}>")
    for bounds, ending in ((known.bounds, ""), (unit_bounds(facts, known), "_unite")):
        if bounds:
            found.setdefault(min(bounds), set()).add(f"<min{ending}>")
            found.setdefault(max(bounds), set()).add(f"<max{ending}>")
            found.setdefault(max(bounds) + 1, set()).add(f"<apres_max{ending}>")
        if bounds == frozenset({0}):
            found[0].add(f"<zero{ending}>")
    house = re.match(r"\d+(?= )", facts.voie or "")
    if house is not None:
        found.setdefault(int(house.group()), set()).add("<numero_voie>")
    return {number: frozenset(symbols) for number, symbols in found.items()}


def _short_names(nom: str) -> Iterator[str]:
    """Yield the words of the name that are names alone: KERVELLA of PLOMBERIE KERVELLA."""
    for word in re.findall(r"[^\W\d_]{4,}", nom):
        if french(word) is None:
            yield from (word, word.capitalize())


def _form_words(facts: Facts) -> frozenset[str]:
    known = formes_juridiques().get(facts.categorie_juridique or "")
    labels = (facts.forme or "", "" if known is None else known.libelle)
    words = r"[^\W\d_]{3,}(?:-[^\W\d_]+)*"
    said = (word.lower() for text in labels for word in re.findall(words, text))
    return frozenset(form for word in said for form in forms(word))


@functools.lru_cache(maxsize=4096)
def _codes(label: str) -> Mapping[str, frozenset[str]]:
    """Return the codes that have this label, with a symbol for their nomenclature."""
    found: dict[str, frozenset[str]] = {}
    for code, symbol in _codes_by_label().get(fold(label), ()):
        found[code] = found.get(code, frozenset({"<ape>"})) | {symbol}
    return MappingProxyType(found)


@functools.cache
def _codes_by_label() -> Mapping[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for nomenclature, symbol in (("NAFRev2", "<ape_2>"), ("NAF2025", "<ape_2025>")):
        for code, text in libelles_de(nomenclature).items():
            label = fold(readable_activite(clean_name(text)))
            found.setdefault(label, []).append((code, symbol))
    return MappingProxyType(found)


def _names(facts: Facts) -> Mapping[str, frozenset[str]]:
    """Return what each name is, by its folded wording: a denomination may also be the enseigne."""
    double = has_two_names(facts)
    found: dict[str, frozenset[str]] = {}
    for name, symbol in (
        (facts.nom, "<etab>" if double else "<nom>"),
        (facts.denomination, "<unite>"),
        (facts.enseigne, "<enseigne>"),
        (facts.sigle, "<sigle>"),
    ):
        for cleaned in map(fold, wordings(name or "", facts)):
            bare = re.sub(r"^\W+|\W+$", "", cleaned)
            for wording in filter(None, (cleaned, bare, without_form(bare), without_article(bare))):
                found[wording] = found.get(wording, frozenset()) | {symbol}
    return found


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
