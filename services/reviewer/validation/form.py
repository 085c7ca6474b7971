"""Whether it is a finished French text, and nothing but the text."""

import re
import unicodedata
from collections import Counter
from itertools import pairwise

from services.reviewer.folding import fold
from services.reviewer.validation.language import is_french
from services.reviewer.validation.masking import MASK
from services.reviewer.validation.subject import Subject

LEAST_WORDS = 15
MOST_WORDS = 130
"""Words of the rest: a long name or activity does not make a text long."""
_LEAST_WORDS_FOR_LANGUAGE = 4
_LEAST_FRENCH = 0.3
_REPEATED_WORDS = 7

_END = re.compile(r"[.!?…][»”\")\]]*$|[»”)]$")
_DANGLING = re.compile(r"\b(?:et|ou|de|du|des|la|le|les|un|une|à|en|avec|dans|par|pour|qui|que)\.$")
_MARKUP = re.compile(
    r"</?[a-zA-Z!][^>]*>?|&(?:[a-z]+|#\d+);|\*\*|__|```|`[^`]+`|^\s{0,3}#{1,6}\s|\]\(|^\s*[-*•]\s"
    r"|^\s*\d+[.)]\s|~~",
    re.MULTILINE,
)
_MOJIBAKE = re.compile(r"Ã[\u0080-\u00bf\u0152-\u2122]|Ã\s|Â[\u0080-\u00bf]|â€|ï¿½|\ufffd|Å“")
_PLACEHOLDER = re.compile(
    r"[\[\]{}]|<[A-ZÀ-Þ_ ]+>|\bX{3,}\b|\b(?:TODO|TBD|FIXME|N/A)\b|(?i:\blorem ipsum\b"
    r"|\bà compléter\b|\bnom de l['’]entreprise ici\b|\b(?:todo|tbd)\b|%\w+%|_{3,}|\.{4,})"
)
_PROMPT_LEAK = re.compile(
    r"\b\w+\s*=\s*\S|\bprompt|\binstructions? (?:systeme|precedente|ci-|suivante|donnee)"
    r"|\bconsignes?\b|\bsystem (?:message|prompt)|\bjson\b|\bschema\b|\bignore(?:r|z)? les\b"
    r"|<\|\w+\|>|\b(?:user|assistant|system)\s*:|\bregles? (?:donnees|a respecter)"
    r"|\bne jamais (?:mentionner|utiliser|inventer)|\btu (?:es|dois)\b|\bhacked\b"
)
_INJECTION = re.compile(r"\b(?:ignore|oublie|reponds|disregard)\w*\b.*\b(?:instruction|reponds)")
_META = re.compile(
    r"\ben tant qu(?:e (?:modele|ia\b|intelligence)|['’](?:assistant|ia\b|intelligence))"
    r"|\bintelligence artificielle\b|\bmodele de langage\b|\bvoici\b|\bbien sur\b|\bbonjour\b"
    r"|\b(?:donnees|informations?|faits) (?:fournie?s?|donnees|ci-dessus|disponibles?|ci-dessous)"
    r"|\bnotice\b|\bavertissement\b|\bce (?:texte|paragraphe|resume)\b|\b(?:texte|note) :"
    r"|\bn['’]hesitez pas a me\b|\bj['’]espere\b|\bavis (?:genere|redige)|\bredige(?:e|r)?\b"
    r"|\bgenere(?:e)? (?:par|automatiquement)\b|\bversion (?:corrigee|revisee|finale)\b"
    r"|\bcorrection :|\bconformement a (?:votre|la) demande"
)
_REFUSAL = re.compile(
    r"\bje (?:ne (?:peux|puis|suis)|suis (?:desole|incapable)|regrette|m['’]excuse)"
    r"|\bdesolee?\b|\bnous ne pouvons\b|\bimpossible de (?:fournir|rediger|generer|repondre)"
    r"|\bi (?:cannot|can['’]t|am sorry|am unable)|\bi['’]m (?:sorry|unable)|\bas an ai\b"
    r"|\bne (?:peut|puis) (?:pas )?(?:fournir|rediger|repondre)"
)
_FINITE = re.compile(
    r"\b(?:est|sont|a|ont|etait|etaient|fut|exerce|exercent|declare|declarent|compte|emploie"
    r"|releve|figure|propose|dispose|possede|existe|appartient|constitue|constituent|se trouve"
    r"|porte|remonte|date|situe|occupe|intervient|assure|realise|fabrique|vend|commercialise"
    r"|produit|cultive|eleve|gere|enseigne|transporte|installe|repare|loue|developpe|pratique"
    r"|poursuit|travaillent|opere|consiste|concerne|mene|regroupe|comprend|fait|tient|siege)\b"
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


def empty(subject: Subject) -> bool:
    return not any(character.isalpha() for character in subject.text)


def truncated(subject: Subject) -> bool:
    if empty(subject):
        return False
    if subject.masked.spans and subject.masked.spans[-1].end == len(subject.text):
        return subject.text[-1] not in ".!?…»"
    return _END.search(subject.text) is None or _DANGLING.search(subject.text) is not None


def too_short(subject: Subject) -> bool:
    return 0 < len(subject.text.split()) < LEAST_WORDS


def too_long(subject: Subject) -> bool:
    return len(subject.words) > MOST_WORDS


def not_french(subject: Subject) -> bool:
    """Another language, or a list of words: a sentence has a verb."""
    if len(subject.words) < _LEAST_WORDS_FOR_LANGUAGE:
        return False
    if _FINITE.search(subject.rest_folded) is None:
        return True
    plain = " ".join(subject.rest.replace(MASK, " ").split())
    return not is_french(plain, least_score=_LEAST_FRENCH)


def markup(subject: Subject) -> bool:
    return _MARKUP.search(subject.rest) is not None


def control_chars(subject: Subject) -> bool:
    return any(
        character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co"}
        for character in subject.raw.strip()
    )


def mojibake(subject: Subject) -> bool:
    return _MOJIBAKE.search(subject.rest) is not None


def placeholder(subject: Subject) -> bool:
    return _PLACEHOLDER.search(subject.rest) is not None


def prompt_leak(subject: Subject) -> bool:
    """Words of the prompt, or a text that does nothing but repeat a name that gives orders."""
    if _PROMPT_LEAK.search(subject.rest_folded):
        return True
    only_facts = not any(word.folded.isalpha() for word in subject.words)
    return only_facts and _INJECTION.search(fold(subject.text)) is not None


def meta_talk(subject: Subject) -> bool:
    return _META.search(subject.rest_folded) is not None


def repetition(subject: Subject) -> bool:
    sentences = [fold(sentence) for sentence in _SENTENCE.split(subject.text)]
    long_sentences = [sentence for sentence in sentences if sentence.count(" ") > 2]  # noqa: PLR2004 "Il est là." may come twice
    if len(set(long_sentences)) < len(long_sentences):
        return True
    words = re.findall(rf"[a-z0-9]+|{MASK}+", subject.rest_folded)
    if any(first == second and first.isalpha() for first, second in pairwise(words)):
        return True
    grams = Counter(zip(*(words[shift:] for shift in range(_REPEATED_WORDS)), strict=False))
    return any(
        count > 1 and not any(MASK in word for word in gram) for gram, count in grams.items()
    )


def all_caps(subject: Subject) -> bool:
    letters = [character for character in subject.rest if character.isalpha()]
    capitals = sum(map(str.isupper, letters))
    return len(letters) >= 20 and capitals > len(letters) / 2  # noqa: PLR2004 fewer letters may be one acronym


def malformed_json(subject: Subject) -> bool:
    return re.match(r"\s*(?:\{|\[\s*[{\"])", subject.rest) is not None or bool(
        re.search(r"[\"“]\w+[\"”]\s*:", subject.rest)
    )


def refusal(subject: Subject) -> bool:
    return _REFUSAL.search(subject.rest_folded) is not None
