"""Signs of what must not be quoted, where a list of words is not enough. Pure."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from services.reviewer.french.disguises import (
    holds_address,
    holds_telephone,
    is_of_another_script,
    masks_a_word,
)
from services.reviewer.french.folding import fold, tokenise
from services.reviewer.validation.language import is_foreign
from shared.sirene.names.lexicon import is_common

# Beside what `disguises` finds.
_CONTACT = re.compile(
    r"\b\d{1,4},? ?(?:bis|ter|quater)?,? (?:rue|avenue|av|boulevard|bd|chemin|impasse|allee|place"
    r"|quai|route|cours|square|lotissement|residence)\b"
    r"|\b[a-z]{2}-\d{3}-[a-z]{2}\b|\b[a-z]{2}\d{3}[a-z]{2}\b|\bfr\d{2} ?\d{4}\b"
    r"|\bhabit\w+ (?:(?:au|dans|juste|en face)? ?\d|rue|avenue|boulevard|impasse|chemin|batiment"
    r"|residence)"
    r"|\b(?:dossier|commande|client|contrat|facture|reservation|devis|compte|secu\w*|badge)"
    r"(?: ?(?:n[°o]?|numero|num|#))? ?:? ?[a-z]{0,3}-?\d{4,}"
)
_PLATE = re.compile(r"\b[A-Z]{2} \d{3} [A-Z]{2}\b|\b\d{2,4} [A-Z]{2,3} (?:\d{2}|2[AB])\b")
_MARKUP = re.compile(r"[<>{}\[\]]|&(?:[a-z]+|#\w+);|```|\*\*|javascript:|\\[nrtux]|\bon\w+ ?= ?\S")
_PROMOTION = re.compile(
    r"\b(?:[Cc]ode|CODE|[Cc]oupon)\b[^.!?]{0,20}?\b[A-Z]{2,}\d+"
    r"|(?i:- ?\d+ ?%|\b\d+ ?(?:%|pour cent) (?:de (?:remise|r[ée]duction|rabais)|sur\b)"
    r"|(?<!cent )\bpour cent (?:de (?:remise|r[ée]duction|rabais)|sur\b))"
)
# A price, an offer, and nobody who was there: the firm's own words rather than a customer's.
_PRICE = re.compile(r"\d ?(?:€|euros?\b)")
_OFFER = re.compile(
    r"\b(?:ttc|ht|compris|a partir de|des \d|seulement|jour et nuit|24 ?h|7 ?j|moins chers? que"
    r"|offerte?s?|gratuite?s?|remise|promo|imbattables?|disponibles?)\b"
)
_CUSTOMER = re.compile(
    r"\b(?:j|je|m|me|moi|mon|ma|mes|nous|notre|nos|on|ai|avons|etait|ete|eu|pris|paye|recu)\b"
)
# Orders to a machine, or to whoever writes about the reviews: « [Note au système : …] ».
_ORDER = re.compile(
    r"\b(?:notes?|messages?|consignes?|instructions?|rappels?) (?:au|aux|a|a l'attention|pour|de)"
    r"(?: l'| la | le | les | du | de l'| ?)(?:systeme|ia\b|robot|modele|assistant|redact|moderat"
    r"|editeur|algorithme|intelligence)"
    r"|\bne (?:pas|jamais) (?:mentionner|citer|afficher|publier|reproduire|signaler|inclure)"
    r"|(?<!j')(?<!je )(?<!on )\b(?:attribue|conclus|traduis|genere)[rz]?"
    r" (?:\w+ ){0,4}(?:etoiles|note maximale|synthese|resume|mots)\b"
    r"|\b(?:systeme?|assistant|user|prompt) ?:"
)
_FLOOD = re.compile(r"([^\W\d_])\1{7,}|([^\w\s])\2{7,}|([^\W\d_]{2,4})\3{6,}")
_MOST_SYMBOLS = 12
# A person's origin is no business of the reader's; a dish may be Moroccan.
_ORIGIN = re.compile(
    r" (?:les|des|ces|gens|personnel|ouvriers?|employee?s?|gars|type|homme|femme|gerante?"
    r"|patron(?:ne)?|serveu(?:r|se)s?|vendeu(?:r|se)s?|caissi(?:er|ere)s?|chauffeurs?|coiffeu(?:r|se)s?|menage"
    r"|livreurs?|technicien(?:ne)?s?|chef|cuisinier) (?:(?:sont|est|tous|toutes) )*"
    r"(?:roumain|polonais|pakistanais|algerien|marocain|tunisien|turc|turque|chinois|ukrainien|syrien"
    r"|afghan|albanais|kosovar|senegalais|malien|congolais|antillais|portugais|bulgare|tchetchene"
    r"|haitien|ivoirien|camerounais|comorien|mahorais|indien|asiatique|africain|francais)"
    r"(?:ne)?e?s?\b"
    r"| (?:chauffeur|gars|serveu(?:r|se)|patron(?:ne)?|personnel|vendeu(?:r|se)|equipe|ouvriers?) "
    r"(?:bien |tous )?(?:de chez nous|du pays|francais)\b"
)
# Their endings tell a matter of health, whichever it is.
_MEDICAL = re.compile(r"\w(?:ectomie|otomie|stomie|scopie|therapie|therapeute|plegie|phasie)s?\b")
_COUPLE = re.compile(
    r"\b(?:moi|copain|copine|mari|femme|compagne|compagnon|ami|amie|couple|sommes)\b[ ,(]*"
    r"(?:nous sommes |on est |de )?(?:deux )(?:hommes|femmes|garcons|filles|mecs|nanas)\b"
)
_VALUABLES = (
    r"\b(?:bijou|bracelet|montre|sac a main|portefeuille|porte-monnaie|argent|liquide|billets?"
    r"|bague|collier|ordinateur|telephone|outils?|boucles? d'oreilles?)\w*"
)
_GONE = r"\b(?:disparu|manqu|introuvable|envole|vide|subtilise|emport|plus la\b|jamais re)\w*"
# Matters that are harmless of a place and seldom of a person: looks, body, money, intent.
_STAFF = (
    r"\b(?:patron(?:ne)?|gerante?|directeur|directrice|serveu(?:r|se)|vendeu(?:r|se)|caissi(?:er|ere)"
    r"|chauffeur|livreur|coiffeu(?:r|se)|mecano|mecanicien|plombier|technicien(?:ne)?|moniteur"
    r"|monitrice|prof|femme de menage|menage|receptionniste|cuisini(?:er|ere)|chef|stagiaire"
    r"|apprentie?|ouvrier|employee?|collegue|secretaire|assistante?|infirmi(?:er|ere)|maitre)s?\b"
)
_PERSONAL = (
    r"\b(?:moche|laide?|obese|bizarre|louche|cuisse|corps|bouche|haleine"
    r"|transpire|pue|sent mauvais|boit|bourree?|expres|volontairement|dettes?"
    r"|poches?|bijoux|argent|dieu|vote|gay|homo|maitresse|divorce|celibataire|enceinte"
    r"|accent)\b"
)
_OF_STAFF = re.compile(rf"{_STAFF}[^.!?]{{0,50}}{_PERSONAL}|{_PERSONAL}[^.!?]{{0,40}}{_STAFF}")
# Something of value is gone: whoever tells it means that somebody took it.
_GONE_VALUABLES = re.compile(
    rf"\b(?:mes|mon|ma|nos|notre|une?|des|l'|de) ?{_VALUABLES}[^.!?]{{0,50}}{_GONE}"
    rf"|{_GONE}[^.!?]{{0,40}}(?:mes|mon|ma|nos|notre) {_VALUABLES}"
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_STRANGE, _SURELY = 1 / 3, 0.7


def shows(code: str, visible: str) -> bool:
    """Return whether words show, by their form, what the code names."""
    sign = _SIGNS.get(code)
    return sign is not None and sign(visible, fold(visible))


def _tells_contact(visible: str, folded: str) -> bool:
    return (
        holds_address(folded)
        or holds_telephone(folded)
        or _CONTACT.search(folded) is not None
        or _PLATE.search(visible) is not None
    )


def _is_flood(words: str) -> bool:
    """Return whether signs or letters are repeated until nothing is said."""
    symbols = sum(unicodedata.category(character) in {"So", "Sk"} for character in words)
    return symbols > _MOST_SYMBOLS or _FLOOD.search(words) is not None


def _is_an_offer(folded: str) -> bool:
    return (
        _PRICE.search(folded) is not None
        and _OFFER.search(folded) is not None
        and _CUSTOMER.search(folded) is None
    )


def speaks_another_language(words: str) -> bool:
    """Return whether a sentence is in another language: it would be quoted unread."""
    return is_of_another_script(words) or any(map(_is_in_another_language, _sentences(words)))


def _sentences(words: str) -> Iterator[str]:
    yield words
    yield from _SENTENCE.split(words)


def _is_in_another_language(part: str) -> bool:
    """Return whether the model says so, and a third of the words are no French ones."""
    words = [token.original for token in tokenise(part) if token.original.isalpha()]
    strange = sum(not is_common(word) for word in words)
    return (
        len(words) > 1 and strange > _STRANGE * len(words) and is_foreign(part, least_score=_SURELY)
    )


_SIGNS: Mapping[str, Callable[[str, str], bool]] = {
    "contact_data": _tells_contact,
    "sensitive": lambda _, folded: any(
        sign.search(f" {folded} ") for sign in (_ORIGIN, _MEDICAL, _COUPLE)
    ),
    "accusation": lambda _, folded: _GONE_VALUABLES.search(folded) is not None,
    "profanity": lambda _, folded: masks_a_word(folded),
    "advertising": lambda visible, folded: (
        _PROMOTION.search(visible) is not None or _is_an_offer(folded)
    ),
    "identifiable": lambda _, folded: _OF_STAFF.search(folded) is not None,
    "injection_suspect": lambda _, folded: _ORDER.search(folded) is not None,
    "markup": lambda _, folded: _MARKUP.search(folded) is not None,
    "flood": lambda visible, _: _is_flood(visible),
}
"""Each takes the words as they are seen, and the same folded."""
