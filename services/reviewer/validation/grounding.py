"""Whether the text says what the facts say, and nothing beside."""

import functools
import re
from collections.abc import Iterator
from itertools import pairwise

from services.reviewer.data import vocabulaire
from services.reviewer.folding import Token, fold, stem, tokenise
from services.reviewer.labels import split_arrondissement
from services.reviewer.validation import legal_forms
from services.reviewer.validation.known import FUNCTION_WORDS, SHARED_PREFIX
from services.reviewer.validation.lexicon import said
from services.reviewer.validation.masking import MASK, cover
from services.reviewer.validation.numbers import Number, find_numbers
from services.reviewer.validation.subject import Subject
from shared.sirene.reference import libelles_d_activite, noms_de_communes

LEAST_ACTIVITY_SHARE = 0.6
MOST_UNKNOWN_WORDS = 1
_LEAST_TERM_LENGTH = 4
_LONGEST_COMMUNE_WORDS = 8

_LOCATIVE = frozenset("a au aux de d du des dans sur commune ville pres vers".split())  # noqa: SIM905 a word list
_HEADCOUNT_NOUN = r"(?:salarie|employe|collaborateur|personne|agent|travailleur)e?s?\b"
_NO_HEADCOUNT = re.compile(
    rf"\bn'(?:emploie|y emploie|a|y a|occupe) personne\b|\bpersonne n'(?:y )?(?:est|travaille)"
    rf"|\bni {_HEADCOUNT_NOUN}|\bne \w+ personne\b"
    rf"|\b(?:aucune?|sans|pas de|pas d'|zero|n'\w+ (?:pas|plus)(?: de| d')?)\s*(?:\w+ )?"
    rf"{_HEADCOUNT_NOUN}|\beffectif (?:est )?nul\b|\b0 {_HEADCOUNT_NOUN}"
)
_PEOPLE = re.compile(rf" ?(?:ou plus |et plus )?(?:de |d')?{_HEADCOUNT_NOUN}")
_EFFECTIF = re.compile(r"\beffectif\b[^.;]*$")
_JOINED = re.compile(r" ?(?:a|ou|et|-|/) ?")
_ROUGHLY = re.compile(
    rf"\b(?:plusieurs|quelques|de nombreux|nombreux|divers|(?:des|plusieurs|quelques) "
    rf"(?:dizaines|centaines|milliers|douzaines)) (?:de |d')?{_HEADCOUNT_NOUN}"
    rf"|\b(?:dizaines|centaines|milliers|douzaines|centaine|millier) (?:de |d')?{_HEADCOUNT_NOUN}"
)
_TEAM = re.compile(r"\b(?:ils|elles) (?:y )?sont $|\bequipe (?:\w+ )?(?:de|reunit|compte) $")
_ONE_OR = re.compile(r"\bune? (?:a|ou) $")
_SIEGE = re.compile(r"\bsiege\b|\betablissement principal\b|\bmaison[ -]mere\b")
_SECONDARY = re.compile(r"\betablissement secondaire\b|\bsuccursale\b|\bfiliale\b|\bannexe\b")
_MONTH = "janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre"
_DATE = re.compile(
    rf"\b(?:{_MONTH})\b|\b\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}\b|\b\d{{4}}-\d\d-\d\d\b"
    rf"|{MASK}{{4}}-\d\d-\d\d\b|\b\d{{1,2}}[/.-]\d{{1,2}}[/.-]{MASK}{{2,4}}"
    r"|\b[ivx]+e siecle\b|\bannees? (?:\d|soixante|quatre|cinquante|trente|vingt)"
    r"|\b(?:debut|fin|milieu|courant|mi-?) ?(?:du |de |des |de l')?(?:siecle|\d{4})"
)
_ROMAN = re.compile(r"\b(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})(?:e|er|ème)?\b")
_TRADE_ENDINGS = ("erie", "age", "culture", "graphie", "gravure", "logie")
_BEFORE_A_NOUN = re.compile(
    r"(?:\b(?:les?|la|une?|des?|du|aux?|sa|son|ses|cet|cette|ces?|leurs?|en|par|pour|sur|sous|dans"
    r"|avec|sans|chaque|tout|toute|tous|toutes|plusieurs|quelques|entre) |\b[ld]')$"
)
_YEARS = range(1600, 2100)
_ARRONDISSEMENT = re.compile(r"\b(\d{1,2})(?:er?|eme) arrondissement")
_SENTENCE_END = ".!?…:;\n"
_KNOWN_ENTITIES = frozenset(
    {"sirene", "insee", "france", "siret", "siren", "nic", "naf", "ape", "rcs", "etat"}
)
_ACTIVITY_CUE = re.compile(
    rf"(?:{MASK}|\b(?:activites?|specialis\w+|exerc\w+|assur\w+|pratiqu\w+|propos\w+|realis\w+|domaine|secteur|metier|rubrique|intitule)\b)"
)


def name_missing(subject: Subject) -> bool:
    return "nom" not in subject.masked.found and any(map(str.isalnum, subject.facts.nom))


def city_missing(subject: Subject) -> bool:
    return subject.known.commune is not None and "commune" not in subject.masked.found


def wrong_city(subject: Subject) -> bool:
    own = split_arrondissement(subject.known.commune or "")
    numbers = _ARRONDISSEMENT.findall(subject.rest_folded)
    if numbers and (own is None or any(not own[1].startswith(number) for number in numbers)):
        return True
    return any(True for _ in _foreign_communes(subject))


def _foreign_communes(subject: Subject) -> Iterator[str]:
    words = subject.words
    for index, word in enumerate(words):
        if not word.capitalised:
            continue
        previous = words[index - 1] if index > 0 else None
        located = (
            previous is not None
            and previous.folded in _LOCATIVE
            and subject.rest[previous.end : word.start].strip("'’ \u00a0\u202f") == ""
        )
        for length in range(min(_LONGEST_COMMUNE_WORDS, len(words) - index), 0, -1):
            run = words[index : index + length]
            if not _adjoin(subject.rest, run):
                continue
            if (located or length > 1) and _is_commune(run, previous if located else None):
                yield " ".join(token.original for token in run)
                break


def _adjoin(text: str, run: tuple[Token, ...]) -> bool:
    return all(
        text[left.end : right.start] in {"-", "'", "’", " ", "\u00a0"}
        for left, right in pairwise(run)
    )


def _is_commune(run: tuple[Token, ...], preposition: Token | None) -> bool:
    name = " ".join(token.folded for token in run)
    if name in _commune_names():
        return True
    match preposition.folded if preposition is not None else "":
        case "au" | "du":
            return f"le {name}" in _commune_names()
        case "aux" | "des":
            return f"les {name}" in _commune_names()
        case _:
            return False


@functools.cache
def _commune_names() -> frozenset[str]:
    return frozenset(
        " ".join(token.folded for token in tokenise(nom)) for nom in noms_de_communes()
    )


def activity_missing(subject: Subject) -> bool:
    wanted = subject.known.telling_stems()
    if not wanted or "activite" in subject.masked.found:
        return False
    names = [span for span in subject.masked.spans if span.kind in {"nom", "autre_nom"}]
    said = {
        stem(token.folded)
        for token in tokenise(subject.text)
        if not any(span.start <= token.start < span.end for span in names)
    }
    found = sum(1 for word in wanted if word in said or _shares_prefix(word, said))
    return found < LEAST_ACTIVITY_SHARE * len(wanted)


def _shares_prefix(word: str, said: set[str]) -> bool:
    prefix = word[:SHARED_PREFIX]
    return len(prefix) == SHARED_PREFIX and any(other.startswith(prefix) for other in said)


def wrong_activity(subject: Subject) -> bool:
    """Words of other activities: one where the activity is told, or several anywhere.

    Trades that no label names are known by their endings.
    """
    foreign = [
        word
        for word in _foreign_terms(subject)
        if (root := stem(word.folded)) in _activity_terms() or root.endswith(_TRADE_ENDINGS)
    ]
    if len({stem(word.folded) for word in foreign}) > 1:
        return True
    return any(_ACTIVITY_CUE.search(fold(_before(subject.rest, word))) for word in foreign)


def _before(text: str, word: Token) -> str:
    """What its sentence says before the word."""
    return re.split(r"[.;!?]", text[: word.start])[-1]


@functools.cache
def _activity_terms() -> frozenset[str]:
    terms = {
        stem(token.folded)
        for libelle in libelles_d_activite()
        for token in tokenise(libelle)
        if len(token.folded) >= _LEAST_TERM_LENGTH and token.folded.isalpha()
    }
    return frozenset(terms) - vocabulaire()


def _gap(text: str, word: Token) -> str:
    """The space that folding takes from the end of what stands before the word."""
    return " " if text[: word.start][-1:].isspace() else ""


def _foreign_terms(subject: Subject) -> list[Token]:
    return [
        word
        for word in subject.words
        if len(word.folded) >= _LEAST_TERM_LENGTH
        and word.folded.isalpha()
        and word.folded not in FUNCTION_WORDS
        and stem(word.folded) not in vocabulaire()
        and not subject.known.is_grounded(word.folded)
    ]


def wrong_legal_form(subject: Subject) -> bool:
    """Also where the activity has words of a form: « sociétés holding » hides no « société »."""
    rest = cover(subject.text, (s for s in subject.masked.spans if s.kind != "activite"))
    own = subject.known.forms | legal_forms.groups((fold(subject.facts.activite or ""),))
    return any(group not in own for group in legal_forms.mentions(rest, fold(rest)))


def wrong_headcount(subject: Subject) -> bool:
    bounds = subject.known.bounds
    text = subject.rest_folded
    if _NO_HEADCOUNT.search(text) is not None and bounds != frozenset({0}):
        return True
    if _ROUGHLY.search(text) is not None:
        return True
    return any(told != bounds for told in _headcounts(text))


def _headcounts(text: str) -> Iterator[frozenset[int]]:
    """The numbers of each mention: {3, 5} for « entre 3 et 5 salariés »."""
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


def wrong_status(subject: Subject) -> bool:
    text = subject.rest_folded
    if said("wrong_status", subject):
        return True
    if subject.facts.est_siege:
        return _SECONDARY.search(text) is not None
    # Without a SIRET the facts are not from the register: `est_siege` is only its default.
    return subject.facts.siret != "" and _SIEGE.search(text) is not None


def ungrounded_number(subject: Subject) -> bool:
    if _ROMAN.search(subject.rest) is not None:
        return True
    return any(
        number.value not in subject.known.numbers for number in find_numbers(subject.rest_folded)
    )


def ungrounded_date(subject: Subject) -> bool:
    if said("ungrounded_date", subject) or _DATE.search(subject.rest_folded) is not None:
        return True
    return any(
        number.value in _YEARS and number.value not in subject.known.numbers
        for number in find_numbers(subject.rest_folded)
    )


def ungrounded_entity(subject: Subject) -> bool:
    """A proper name that is no fact: a capital where no sentence begins."""
    return any(
        word.capitalised
        and len(word.folded) > 1
        and word.folded not in _KNOWN_ENTITIES
        and word.folded not in legal_forms.ALIASES
        and not subject.known.is_grounded(word.folded)
        and (not _begins_sentence(subject.rest, word) or _is_no_word_of_notices(word))
        for word in subject.words
    )


def _is_no_word_of_notices(word: Token) -> bool:
    root = stem(word.folded)
    return word.original.isupper() or (
        len(word.folded) >= _LEAST_TERM_LENGTH
        and word.folded not in FUNCTION_WORDS
        and root not in vocabulaire()
        and root not in _activity_terms()
    )


def _begins_sentence(text: str, word: Token) -> bool:
    before = text[: word.start].rstrip(' \u00a0\u202f«"“(-–—')
    return not before or before[-1] in _SENTENCE_END


def ungrounded_terms(subject: Subject) -> bool:
    """Things that are no fact: any noun, and more than one other word that notices do not use.

    A noun stands after an article, a possessive or a preposition; another verb or adverb for what
    the register says is a writer's variety.
    """
    foreign = [
        word
        for word in _foreign_terms(subject)
        if not word.capitalised or _begins_sentence(subject.rest, word)
    ]
    roots = {stem(word.folded) for word in foreign}
    if len(roots) > MOST_UNKNOWN_WORDS or not roots.isdisjoint(_activity_terms()):
        return True
    return any(
        _BEFORE_A_NOUN.search(fold(_before(subject.rest, word)) + _gap(subject.rest, word))
        for word in foreign
    )
