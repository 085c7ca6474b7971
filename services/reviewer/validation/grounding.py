"""Whether the text says what the facts say, and nothing beside."""

import functools
import re

from services.reviewer.french.data import vocabulaire
from services.reviewer.french.folding import Token, fold, stem, tokenise
from services.reviewer.french.labels import split_arrondissement
from services.reviewer.validation import communes, headcounts, legal_forms, numbers
from services.reviewer.validation.checked_text import CheckedText
from services.reviewer.validation.known import FUNCTION_WORDS, SHARED_PREFIX
from services.reviewer.validation.lexicon import said
from services.reviewer.validation.masking import MASK, cover
from shared.sirene.reference import libelles_d_activite

LEAST_ACTIVITY_SHARE = 0.6
MOST_UNKNOWN_WORDS = 1
_LEAST_TERM_LENGTH = 4

# « … il n'en est pas le siège », « distinct de son siège ».
_DENIED = re.compile(r"\b(?:pas|point|non|distincte?|hors|differente?|sans etre)\b[^.;¤]{0,30}$")
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
# What a verb that tells the activity begins with, where its noun in the label begins otherwise.
_VERB_ROOTS = {
    "culture": "cultiv", "elevage": "elev", "vente": "vend", "location": "lou", "edition": "edit",
    "extraction": "extrai", "gestion": "ger", "collecte": "collect", "vinification": "vinifi",
    "enseignement": "enseign", "formation": "form", "peche": "pech", "taille": "taill",
}  # fmt: skip
# « compte 20 salariés » tells no comptabilité.
_COUNTING = frozenset({"compte", "comptent", "comptant", "comptait", "compter"})
_TRADE_ENDINGS = ("erie", "age", "culture", "graphie", "gravure", "logie")
_BEFORE_A_NOUN = re.compile(
    r"(?:\b(?:les?|la|une?|des?|du|aux?|sa|son|ses|cet|cette|ces?|leurs?|en|par|pour|sur|sous|dans"
    r"|avec|sans|chaque|tout|toute|tous|toutes|plusieurs|quelques|entre) |\b[ld]')$"
)
_YEARS = range(1600, 2100)
_SENTENCE_END = ".!?…:;\n"
_KNOWN_ENTITIES = frozenset(
    {"sirene", "insee", "france", "siret", "siren", "nic", "naf", "ape", "rcs", "etat"}
)
_ACTIVITY_CUE = re.compile(
    rf"(?:{MASK}|\b(?:activites?|specialis\w+|exerc\w+|assur\w+|pratiqu\w+|propos\w+|realis\w+|domaine|secteur|metier|rubrique|intitule)\b)"
)


def name_missing(subject: CheckedText) -> bool:
    return "nom" not in subject.masked.found and any(map(str.isalnum, subject.facts.nom))


def city_missing(subject: CheckedText) -> bool:
    return subject.known.commune is not None and "commune" not in subject.masked.found


def wrong_city(subject: CheckedText) -> bool:
    own = split_arrondissement(subject.known.commune or "")
    numbers = communes.arrondissements(subject.rest_folded)
    if numbers and (own is None or any(not own[1].startswith(number) for number in numbers)):
        return True
    return any(True for _ in communes.mentions(subject.rest, subject.words))


def activity_missing(subject: CheckedText) -> bool:
    wanted = subject.known.telling_stems()
    if not wanted or "activite" in subject.masked.found:
        return False
    names = [span for span in subject.masked.spans if span.kind in {"nom", "autre_nom"}]
    said = {
        stem(token.folded)
        for token in tokenise(subject.text)
        if token.folded not in _COUNTING
        and not any(span.start <= token.start < span.end for span in names)
    }
    if not subject.known.trade_stems.isdisjoint(said):
        return False
    found = sum(
        1 for word in wanted if word in said or _shares_prefix(word, said) or _is_done(word, said)
    )
    return found < LEAST_ACTIVITY_SHARE * len(wanted)


def _shares_prefix(word: str, said: set[str]) -> bool:
    prefix = word[:SHARED_PREFIX]
    return len(prefix) == SHARED_PREFIX and any(other.startswith(prefix) for other in said)


def _is_done(word: str, said: set[str]) -> bool:
    """« cultive la vigne » for "Culture de la vigne"."""
    root = _VERB_ROOTS.get(word)
    return root is not None and any(other.startswith(root) for other in said)


def wrong_activity(subject: CheckedText) -> bool:
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


def _foreign_terms(subject: CheckedText) -> list[Token]:
    return [
        word
        for word in subject.words
        if len(word.folded) >= _LEAST_TERM_LENGTH
        and word.folded.isalpha()
        and word.folded not in FUNCTION_WORDS
        and word.folded not in numbers.WORDS
        and stem(word.folded) not in vocabulaire()
        and not subject.known.is_grounded(word.folded)
    ]


def wrong_legal_form(subject: CheckedText) -> bool:
    """Also where the activity has words of a form: « sociétés holding » hides no « société »."""
    rest = cover(subject.text, (s for s in subject.masked.spans if s.kind != "activite"))
    own = subject.known.forms | legal_forms.groups((fold(subject.facts.activite or ""),))
    return any(group not in own for group in legal_forms.mentions(rest, fold(rest)))


def wrong_headcount(subject: CheckedText) -> bool:
    bounds = subject.known.bounds
    text = subject.rest_folded
    if headcounts.is_nobody_told(text) and bounds != frozenset({0}):
        return True
    if headcounts.is_crowd_told(text):
        return True
    return any(told != bounds for told in headcounts.mentions(text))


def wrong_status(subject: CheckedText) -> bool:
    text = subject.rest_folded
    if said("wrong_status", subject):
        return True
    if subject.facts.est_siege:
        return _is_affirmed(_SECONDARY, text)
    # Without a SIRET the facts are not from the register: `est_siege` is only its default.
    return subject.facts.siret != "" and _is_affirmed(_SIEGE, text)


def _is_affirmed(pattern: re.Pattern[str], text: str) -> bool:
    return any(_DENIED.search(text[: match.start()]) is None for match in pattern.finditer(text))


def ungrounded_number(subject: CheckedText) -> bool:
    if _ROMAN.search(subject.rest) is not None:
        return True
    return any(
        number.value not in subject.known.numbers
        for number in numbers.find_numbers(subject.rest_folded)
    )


def ungrounded_date(subject: CheckedText) -> bool:
    if said("ungrounded_date", subject) or _DATE.search(subject.rest_folded) is not None:
        return True
    return any(
        number.value in _YEARS and number.value not in subject.known.numbers
        for number in numbers.find_numbers(subject.rest_folded)
    )


def ungrounded_entity(subject: CheckedText) -> bool:
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
        and word.folded not in numbers.WORDS
        and root not in vocabulaire()
        and root not in _activity_terms()
    )


def _begins_sentence(text: str, word: Token) -> bool:
    before = text[: word.start].rstrip(' \u00a0\u202f«"“(-–—')
    return not before or before[-1] in _SENTENCE_END


def ungrounded_terms(subject: CheckedText) -> bool:
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
