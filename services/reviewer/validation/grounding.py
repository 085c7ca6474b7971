"""Rules on the content: the text says what the facts say, and nothing more."""

import functools
import re

from services.reviewer.french.data import vocabulaire
from services.reviewer.french.folding import Token, fold, stem, tokenise
from services.reviewer.french.labels import clean_name, readable_activite, split_arrondissement
from services.reviewer.validation import communes, headcounts, legal_forms, numbers
from services.reviewer.validation.checked_text import NOTHING, CheckedText
from services.reviewer.validation.known import FUNCTION_WORDS, begins_like, form_labels
from services.reviewer.validation.lexicon import said
from services.reviewer.validation.literals import MONTHS
from services.reviewer.validation.masking import MASK, Span, cover
from services.reviewer.validation.sentences.told import beyond_the_page
from shared.sirene.reference import libelles_d_activite

LEAST_ACTIVITY_SHARE = 0.6
LEAST_ACTIVITY_WORDS = 2
"""Words of a long list of goods that are enough where every sentence is understood."""
LEAST_BEYOND_THE_PAGE = 2
"""Facts beyond the table of the page with which a text need not tell the activity, which the table
shows (ADR 31)."""
_LEAST_TERM_LENGTH = 4

# « … il n'en est pas le siège », « distinct de son siège ».
_DENIED = re.compile(r"\b(?:pas|point|non|distincte?|hors|differente?|sans etre)\b[^.;¤]{0,30}$")
_SIEGE = re.compile(r"\bsiege\b|\betablissement principal\b|\bmaison[ -]mere\b")
_COMPANY = re.compile(r"\b(?:la|une|cette) societe\b")
_SECONDARY = re.compile(r"\betablissement secondaire\b|\bsuccursale\b|\bfiliale\b|\bannexe\b")
_MONTH = "|".join(MONTHS)
_DATE = re.compile(
    rf"\b(?:{_MONTH})\b|\b\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}\b|\b\d{{4}}-\d\d-\d\d\b"
    rf"|{MASK}{{4}}-\d\d-\d\d\b|\b\d{{1,2}}[/.-]\d{{1,2}}[/.-]{MASK}{{2,4}}"
    r"|\b[ivx]+e siecle\b|\bannees? (?:\d|soixante|quatre|cinquante|trente|vingt)"
    r"|\b(?:debut|fin|milieu|courant|mi-?) ?(?:du |de |des |de l')?(?:siecle|\d{4})"
)
_ROMAN = re.compile(r"\b(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})(?:e|er|ème)?\b")
# The root of the verb that tells an activity, where the noun of the label has another root.
_VERB_ROOTS = {
    "culture": "cultiv", "elevage": "elev", "vente": "vend", "location": "lou", "edition": "edit",
    "extraction": "extrai", "gestion": "ger", "collecte": "collect", "vinification": "vinifi",
    "enseignement": "enseign", "formation": "form", "peche": "pech", "taille": "taill",
}  # fmt: skip
_NUMBER = rf"(?:\d+|{MASK}+|{'|'.join(sorted(numbers.WORDS))}|\w+aine)"
_AGE = re.compile(
    rf"\b{_NUMBER} (?:d')?(?:ans?|annees?|decennies?|mois|semaines)\b|\bil y a \w+|\bsiecle\b"
    r"|\bagee?s? de\b|\b(?:plusieurs|quelques|nombreuses|longues) (?:ans|annees|decennies)\b"
    r"|\bdecennies?\b"
)
# The date of a number of the register, told as the age of a shop or a firm.
_EXISTENCE = re.compile(
    r"\bexist\w+ (?:deja )?depuis\b|\bremont\w+ (?:a|au|aux)\b|\bvu le jour\b|\bnee?s? (?:en|le)\b"
    r"|\bou(?:vert|vre)e?s? (?:ses portes )?(?:en|le|depuis)\b"
    r"|\b(?:en activite|acti(?:f|ve)s?) depuis\b"
    rf"|\b(?:fondee?s?|lancee?s?) (?:en|le) (?:\d|{MASK})"
)
# « compte 20 salariés » tells no comptabilité.
_COUNTING = frozenset({"compte", "comptent", "comptant", "comptait", "compter"})
_TRADE_ENDINGS = ("erie", "age", "culture", "graphie", "gravure", "logie")
_YEARS = range(1600, 2100)
_SENTENCE_END = ".!?…:;\n"
_KNOWN_ENTITIES = frozenset(
    {"sirene", "insee", "france", "siret", "siren", "nic", "naf", "ape", "rcs", "etat"}
)
_ACTIVITY_CUE = re.compile(
    rf"(?:{MASK}|\b(?:activites?|specialis\w+|exerc\w+|assur\w+|pratiqu\w+|propos\w+|realis\w+|domaine|secteur|metier|rubrique|intitule)\b)"
)


def name_missing(checked: CheckedText) -> bool:
    """Return whether neither the page's name nor the company's behind a sign is told."""
    if "nom" in checked.masked.found or not any(map(str.isalnum, checked.facts.nom)):
        return False
    return not any("<unite>" in token.symbols for one in checked.sentences for token in one.tokens)


def city_missing(checked: CheckedText) -> bool:
    """Return whether neither the commune is named nor its inhabitants' name tells it."""
    if checked.known.commune is None or "commune" in checked.masked.found:
        return False
    return not any(
        "<communal>" in token.symbols for one in checked.sentences for token in one.tokens
    )


def wrong_city(checked: CheckedText) -> bool:
    own = split_arrondissement(checked.known.commune or "")
    numbers = communes.arrondissements(checked.unread.folded)
    if numbers and (own is None or any(not own[1].startswith(number) for number in numbers)):
        return True
    return any(True for _ in communes.mentions(checked.unread.rest, checked.unread.words))


def activity_missing(checked: CheckedText) -> bool:
    """Return whether the activity is left out of a text that tells little beyond its page."""
    wanted = checked.known.telling_stems()
    if not wanted or "activite" in checked.masked.found or _names_its_activity(checked):
        return False
    if checked.unread is NOTHING and _tells_beyond_the_page(checked):
        return False
    names = [span for span in checked.masked.spans if span.kind in {"nom", "autre_nom"}]
    said = {
        stem(token.folded)
        for token in tokenise(checked.text)
        if token.folded not in _COUNTING
        and not any(span.start <= token.start < span.end for span in names)
    }
    if not checked.known.trade_stems.isdisjoint(said):
        return False
    found = sum(
        1 for word in wanted if word in said or begins_like(word, said) or _is_done(word, said)
    )
    if checked.unread is NOTHING and (found >= LEAST_ACTIVITY_WORDS or _counts_its_trade(checked)):
        return False
    return found < LEAST_ACTIVITY_SHARE * len(wanted)


def _counts_its_trade(checked: CheckedText) -> bool:
    """Return whether a sentence counts the trade by a noun of it: « l’une des 19 boulangeries »."""
    return any(
        {"metier", "activite"} <= frozenset.intersection(*one.readings) for one in checked.sentences
    )


def _tells_beyond_the_page(checked: CheckedText) -> bool:
    told = beyond_the_page(one.readings for one in checked.sentences)
    return len(told) >= LEAST_BEYOND_THE_PAGE


def _names_its_activity(checked: CheckedText) -> bool:
    """Return whether a name that equals the activity is told as a name and as the activity."""
    activity = fold(readable_activite(clean_name(checked.facts.activite or "")))
    return (
        fold(clean_name(checked.facts.nom)) == activity and fold(checked.text).count(activity) > 1
    )


def _is_done(word: str, said: set[str]) -> bool:
    """Return whether a verb tells the noun: « cultive la vigne » for "Culture de la vigne"."""
    root = _VERB_ROOTS.get(word)
    return root is not None and any(other.startswith(root) for other in said)


def wrong_activity(checked: CheckedText) -> bool:
    """Return whether the text names another activity.

    One word is enough where the activity is told, elsewhere it takes two. Trades that no label
    names are recognised by their endings.
    """
    foreign = [
        word
        for word in _foreign_terms(checked)
        if (root := stem(word.folded)) in _activity_terms() or root.endswith(_TRADE_ENDINGS)
    ]
    if len({stem(word.folded) for word in foreign}) > 1:
        return True
    return any(_ACTIVITY_CUE.search(fold(_before(checked.unread.rest, word))) for word in foreign)


def _before(text: str, word: Token) -> str:
    """Return the part of the sentence before the word."""
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


def _foreign_terms(checked: CheckedText) -> list[Token]:
    return [
        word
        for word in checked.unread.words
        if len(word.folded) >= _LEAST_TERM_LENGTH
        and word.folded.isalpha()
        and word.folded not in FUNCTION_WORDS
        and word.folded not in numbers.WORDS
        and stem(word.folded) not in vocabulaire()
        and not checked.known.is_grounded(word.folded)
    ]


def wrong_legal_form(checked: CheckedText) -> bool:
    """Return whether another legal form is named, even inside the activity's words.

    « sociétés holding » hides no « société ».
    """
    understood = (Span("", one.start, one.end) for one in checked.sentences if one.understood)
    facts = (span for span in checked.masked.spans if span.kind != "activite")
    rest = cover(checked.text, (*facts, *understood))
    own = checked.known.forms | legal_forms.groups((fold(checked.facts.activite or ""),))
    folded, labels = fold(rest), form_labels(checked.facts)
    if labels and not any("societe" in label for label in labels) and _COMPANY.search(folded):
        return True
    return any(group not in own for group in legal_forms.mentions(rest, folded))


def wrong_headcount(checked: CheckedText) -> bool:
    bounds = checked.known.bounds
    text = checked.unread.folded
    denied = headcounts.denies_headcount(text) and bounds != frozenset({0})
    if denied or headcounts.is_vague(text):
        return True
    return any(told != bounds for told in headcounts.mentions(text))


def wrong_status(checked: CheckedText) -> bool:
    text = checked.unread.folded
    if said("wrong_status", checked):
        return True
    if checked.facts.est_siege:
        return _is_affirmed(_SECONDARY, text)
    return _is_affirmed(_SIEGE, text)


def _is_affirmed(pattern: re.Pattern[str], text: str) -> bool:
    return any(_DENIED.search(text[: match.start()]) is None for match in pattern.finditer(text))


def ungrounded_number(checked: CheckedText) -> bool:
    if _ROMAN.search(checked.unread.rest) is not None:
        return True
    return any(
        number.value not in checked.known.numbers
        for number in numbers.find_numbers(checked.unread.folded)
    )


def ungrounded_date(checked: CheckedText) -> bool:
    if said("ungrounded_date", checked) or _DATE.search(checked.unread.folded) is not None:
        return True
    return any(
        number.value in _YEARS and number.value not in checked.known.numbers
        for number in numbers.find_numbers(checked.unread.folded)
    )


def ungrounded_entity(checked: CheckedText) -> bool:
    """Return whether a proper name is no fact: it has a capital and begins no sentence."""
    return any(
        word.capitalised
        and len(word.folded) > 1
        and word.folded not in _KNOWN_ENTITIES
        and word.folded not in legal_forms.ALIASES
        and not checked.known.is_grounded(word.folded)
        and (not _begins_sentence(checked.unread.rest, word) or _is_no_word_of_notices(word))
        for word in checked.unread.words
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


def ungrounded_terms(checked: CheckedText) -> bool:
    """Return whether a sentence is not understood as statements of the facts."""
    return any(not sentence.understood for sentence in checked.sentences)


def age_told(checked: CheckedText) -> bool:
    """Return whether an age is told: it grows old, the year beside it does not."""
    return _AGE.search(checked.unread.folded) is not None


def undated_fact(checked: CheckedText) -> bool:
    """Return whether a headcount or a count is told without its year or month."""
    return any(sentence.undated for sentence in checked.sentences)


def existence_claim(checked: CheckedText) -> bool:
    """Return whether the date of a SIRET is told as that since which something exists."""
    return _EXISTENCE.search(checked.unread.folded) is not None
