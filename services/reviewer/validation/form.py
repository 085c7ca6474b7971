"""Whether it is a finished French text, and nothing but the text."""

import re
import unicodedata
from collections import Counter
from itertools import pairwise

from services.reviewer.french.folding import fold, tokenise
from services.reviewer.validation.checked_text import CheckedText
from services.reviewer.validation.known import FUNCTION_WORDS
from services.reviewer.validation.language import is_foreign, is_french
from services.reviewer.validation.lexicon import said
from services.reviewer.validation.masking import MASK
from services.reviewer.validation.prompt_words import repeats_prompt

LEAST_WORDS = 15
MOST_WORDS = 100
"""Words of the rest: a long name or activity does not make a text long."""
_LEAST_WORDS_FOR_LANGUAGE = 4
_LEAST_FRENCH = 0.3
_REPEATED_WORDS = 7

_END = re.compile(r"[.!?…][»”\")\]]*$|[»”)]$")
_DANGLING = re.compile(
    r"\b(?:et|ou|d|de|du|des|l|la|le|les|un|une|a|au|aux|en|avec|dans|par|pour|qui|que|dont|sous"
    r"|sur|chez|vers|entre|ce|cet|cette|ces|son|sa|ses|leur|leurs|ainsi que|celle|celles? des?"
    r"|depuis|selon|comme|lequel|laquelle|aucune?|chaque|parmi)(?: ?[.;]|,? ?$)"
)
_PAIRS = (("«", "»"), ("(", ")"), ("“", "”"))
_MARKUP = re.compile(
    r"[*_`|~\\<>#]|&(?:[a-z]+|#\d+);|\]\(|\[/?[a-z]{1,6}\]|^\s*[-•·–]\s|^\s*\d+[.)]\s",
    re.MULTILINE,
)
# Bytes of UTF-8 read as Windows, Latin-1 or Mac letters, and what other encodings leave of é.
_SIGNS = frozenset("*_`|~#")
_MOJIBAKE = re.compile(
    r"Ã[\u0080-\u00bf\u0152-\u2122]|Ã\s|Â[\u0080-\u00bf]|Â(?!\w)|â€|ï¿½|\ufffd|Å“"
    r"|[√∞≈∂¬©®±¥¨´¸¿ŽžŠšÐðÞþ‚„†‡‰ƒ◊]|[a-z][ÀÉÈÊÚÙÛÒÓÔÎÏŠŽ][a-z]?|\w\?\w|\\u[0-9a-fA-F]{4}"
)
_PLACEHOLDER = re.compile(
    r"[\[\]{}]|</?\w[\w ]*>|\$\w+|\bX{3,}\b|\b(?:TODO|TBD|FIXME|N/A|NULL|None|NaN)\b|%\w+%|_{3,}"
    r"|\.{4,}|\.\.\. \w|(?i:\blorem ipsum\b|\b(?:todo|tbd|undefined|null|nan)\b|\bjj/mm"
    r"|\b(?:nom|ville|commune|adresse|activité|date|texte) (?:à (?:compléter|préciser|définir"
    r"|renseigner|insérer)|ici)\b|\bà (?:compléter|renseigner|insérer)\b|\binsére[rz]\b"
    r"|\bnom de l['’]entreprise ici\b)"
)
_PROMPT_LEAK = re.compile(
    r"\b\w+ ?= ?\S|</?faits>|(?<![@\w])[a-z]+(?:_[a-z]+)+\b"
    r"|<\|\w+\|>|</?s>|\[/?inst\]|#{2,} ?\w|\b(?:user|assistant|system|faits) ?:"
    r"|\b\d+ (?:et \d+ )?mots\b|\bregles? (?:donnees|a respecter)"
)
_INJECTION = re.compile(r"\b(?:ignore|oublie|reponds|disregard)\w*\b.*\b(?:instruction|reponds)")
_META = re.compile(r"\b(?:texte|note|resume|description|presentation|notice) ?:")
_JSON = re.compile(
    r"^\s*(?:\{|\[\s*[{\"'])|[\"“'«]\w+[\"”'»]\s*:|[\"”]\s*[}\]]|[}\]]\s*[}\]]|```|[\"'}\]],?\s*$"
)
_FINITE = re.compile(
    r"\b(?:est|sont|a|ont|etait|etaient|fut|exerce|exercent|declare|declarent|compte|emploie"
    r"|releve|figure|propose|dispose|possede|existe|appartient|constitue|constituent|se trouve"
    r"|porte|remonte|date|situe|occupe|intervient|assure|realise|fabrique|vend|commercialise"
    r"|produit|cultive|eleve|gere|enseigne|transporte|installe|repare|loue|developpe|pratique"
    r"|enregistrent?|identifient?|figurent|indiquent?|classent?|mentionnent?|attribuent?|rattachent?"
    r"|provien(?:t|nent)|exploitent?|consacrent?|relevent|portent|comptent|emploient|assurent"
    r"|realisent|proposent|disposent|travaille|fonctionnent?|correspond|decrit|precisent?|designent?"
    r"|poursuit|travaillent|opere|consiste|concerne|mene|regroupe|comprend|fait|tient|siege)\b"
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_TWICE = re.compile(r"(?i)\b([^\W\d_]{2,}) (\1)\b")
_WORDS_OF_A_SENTENCE = 6
_SURELY = 0.6
_MOST_COMMAS = 0.3
_NAMES = frozenset({"nom", "autre_nom", "commune", "departement"})
# Words that hold sentences of the neighbours' languages together, and French ones never.
_FOREIGN = (
    frozenset(
        """
    the of and with its this that these from has have been for are was is in by on at it they which
    business company located
    el los las esta este una su sus desde y en su por para es tiene con del
    il lo gli della delle del nel nella ha sua suo presso di che con sede ed
    o os as sua seu tem no na do da e em desde
    der die das und ist mit sich nicht ein eine einen hat im den dem von zu sein seinen ihre dort
    het een van de is met in dienst heeft
    """.split()  # noqa: SIM905 a word list
    )
    - FUNCTION_WORDS
)


def empty(subject: CheckedText) -> bool:
    return not any(character.isalpha() for character in subject.text)


def truncated(subject: CheckedText) -> bool:
    if empty(subject):
        return False
    # A name may leave a bracket open, and a mask may end between the two of a label.
    if _is_open(subject.rest) and _is_open(subject.text):
        return True
    if _DANGLING.search(subject.rest_folded) is not None:
        return True
    if subject.masked.spans and subject.masked.spans[-1].end == len(subject.text):
        return subject.text[-1] not in ".!?…»"
    return _END.search(subject.text) is None


def _is_open(text: str) -> bool:
    return any(text.count(left) != text.count(right) for left, right in _PAIRS)


def too_short(subject: CheckedText) -> bool:
    return 0 < len(subject.text.split()) < LEAST_WORDS


def too_long(subject: CheckedText) -> bool:
    return len(subject.words) > MOST_WORDS


def not_french(subject: CheckedText) -> bool:
    """Another language, in one sentence at least, or a list of words: a sentence has a verb."""
    if len(subject.words) < _LEAST_WORDS_FOR_LANGUAGE:
        return False
    if _FINITE.search(subject.rest_folded) is None or _is_list(subject):
        return True
    plain = subject.rest.replace(MASK, " ")
    if not is_french(" ".join(plain.split()), least_score=_LEAST_FRENCH):
        return True
    return any(map(_is_foreign, _SENTENCE.split(plain)))


def _is_list(subject: CheckedText) -> bool:
    return subject.rest.count(",") > _MOST_COMMAS * max(len(subject.words), 1)


def _is_foreign(sentence: str) -> bool:
    words = [token.folded for token in tokenise(sentence)]
    if len(words) < _LEAST_WORDS_FOR_LANGUAGE:
        return False
    foreign = sum(1 for word in words if word in _FOREIGN)
    if foreign > 1 and foreign > sum(1 for word in words if word in FUNCTION_WORDS):
        return True
    return len(words) >= _WORDS_OF_A_SENTENCE and is_foreign(sentence, least_score=_SURELY)


def markup(subject: CheckedText) -> bool:
    if _MARKUP.search(subject.rest) is not None:
        return True
    signs = _SIGNS.intersection(subject.text)
    # A run of the activity's words may hide a sign that is none of the facts'.
    return bool(signs) and not any(
        sign in literal.folded for sign in signs for literal in subject.known.literals
    )


def control_chars(subject: CheckedText) -> bool:
    return any(
        character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co"}
        for character in subject.raw.strip()
    )


def mojibake(subject: CheckedText) -> bool:
    return _MOJIBAKE.search(subject.rest) is not None


def placeholder(subject: CheckedText) -> bool:
    return _PLACEHOLDER.search(subject.rest) is not None


def prompt_leak(subject: CheckedText) -> bool:
    """Words of the prompt, or a text that does nothing but repeat a name that gives orders."""
    if said("prompt_leak", subject) or _PROMPT_LEAK.search(subject.rest_folded):
        return True
    if repeats_prompt(subject.rest_folded):
        return True
    only_facts = not any(word.folded.isalpha() for word in subject.words)
    return only_facts and _INJECTION.search(fold(subject.text)) is not None


def meta_talk(subject: CheckedText) -> bool:
    return said("meta_talk", subject) or _META.search(subject.rest_folded) is not None


def repetition(subject: CheckedText) -> bool:
    sentences = [fold(sentence) for sentence in _SENTENCE.split(subject.text)]
    long_sentences = [sentence for sentence in sentences if sentence.count(" ") > 1]
    if len(set(long_sentences)) < len(long_sentences) or _stammers(subject):
        return True
    if any(map(_says_twice, re.split(r"[.!?]", subject.rest_folded))):
        return True
    words = re.findall(rf"[a-z0-9]+|{MASK}+|[.!?]", subject.rest_folded)
    if any(first == second and first.isalpha() for first, second in pairwise(words)):
        return True
    twos = list(pairwise(words))
    if any(
        two == after and "".join(two).isalpha() for two, after in zip(twos, twos[2:], strict=False)
    ):
        return True
    grams = Counter(zip(*(words[shift:] for shift in range(_REPEATED_WORDS)), strict=False))
    # « … de l’établissement. L’établissement est … » may come again: two sentences met alike.
    return any(
        count > 1 and not any(word in ".!?" or MASK in word for word in gram)
        for gram, count in grams.items()
    )


def _says_twice(sentence: str) -> bool:
    words = re.findall(rf"[a-z0-9]+|{MASK}+", sentence)
    threes = Counter(zip(words, words[1:], words[2:], strict=False))
    return any(count > 1 and "".join(three).isalpha() for three, count in threes.items())


def _stammers(subject: CheckedText) -> bool:
    """A word twice, but where a name meets its twin: « la société SOCIETE NOUVELLE »."""
    for match in _TWICE.finditer(subject.text):
        word = fold(match.group(1))
        if any(f"{word} {word}" in one.folded for one in subject.known.literals):
            continue
        kinds = {_kind_at(subject, match.start(1)), _kind_at(subject, match.start(2))}
        if len(kinds) == 1 or kinds.isdisjoint(_NAMES):
            return True
    return False


def _kind_at(subject: CheckedText, position: int) -> str | None:
    spans = subject.masked.spans
    return next((span.kind for span in spans if span.start <= position < span.end), None)


def all_caps(subject: CheckedText) -> bool:
    letters = [character for character in subject.rest if character.isalpha()]
    capitals = sum(map(str.isupper, letters))
    return len(letters) >= 20 and capitals > len(letters) / 2  # noqa: PLR2004 fewer letters may be one acronym


def malformed_json(subject: CheckedText) -> bool:
    return _JSON.search(subject.rest) is not None


def refusal(subject: CheckedText) -> bool:
    return said("refusal", subject)
