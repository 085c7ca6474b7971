"""Rules on the form: a finished French text, and nothing but the text."""

import re
import unicodedata
from collections import Counter
from itertools import pairwise

from services.reviewer.french.disguises import is_of_another_script
from services.reviewer.french.folding import MOST_WORDS, fold, runs, tokenise
from services.reviewer.validation import grounding
from services.reviewer.validation.checked_text import NOTHING, CheckedText, plainly_printable
from services.reviewer.validation.known import FUNCTION_WORDS
from services.reviewer.validation.language import is_foreign, is_french
from services.reviewer.validation.lexicon import said
from services.reviewer.validation.masking import MASK
from services.reviewer.validation.prompt_words import repeats_prompt
from services.reviewer.validation.sentences.reader import says_again

LEAST_WORDS = 15
LEAST_WORDS_OF_A_LINE = 8
"""The least words of a text that says all it must, and is understood to its end: a short line
(ADR 31)."""
_LEAST_WORDS_FOR_LANGUAGE = 4
_LEAST_FRENCH = 0.3
_REPEATED_WORDS = 7

_END = re.compile(r"[.!?…][»”\")\]]*$|[»”)]$")
_DANGLING = re.compile(
    r"(?<!-)(?<!en est )\b(?:et|ou|d|de|du|des|l|la|le|les|un|une|a|au|aux|en|avec|dans|par|pour"
    r"|qui|que|dont|sous|sur|chez|vers|entre|ce|cet|cette|ces|son|sa|ses|leur|leurs|ainsi que"
    r"|celle|celles? des?"
    r"|depuis|selon|comme|lequel|laquelle|aucune?|chaque|parmi)(?: ?[.;]|,? ?$)"
)
_PAIRS = (("«", "»"), ("(", ")"), ("“", "”"))
_MARKUP = re.compile(
    r"[*_`|~\\<>#‹›]|%3[ce]|javascript:|\bon\w+ ?= ?\S"
    r"|&(?:[a-z]+|#\d+);|\]\(|\[/?[a-z]{1,6}\]|^\s*[-•·–]\s|^\s*\d+[.)]\s",
    re.MULTILINE | re.IGNORECASE,
)
_SIGNS = frozenset("*_`|~#")
# UTF-8 read as Windows, Latin-1 or Mac letters, and the remains of é in other encodings.
_MOJIBAKE = re.compile(
    r"Ã[\u0080-\u00bf\u0152-\u2122]|Ã\s|Â[\u0080-\u00bf]|Â(?!\w)|â€|ï¿½|\ufffd|Å“"
    r"|=[0-9A-F]{2}|%[0-9A-F]{2}|\\x[0-9a-fA-F]{2}|Ã|[¢£¦§¯¶¼½¾×÷åÅØø]"
    r"|[√∞≈∂¬©®±¥¨´¸¿ŽžŠšÐðÞþ‚„†‡‰ƒ◊]|[a-z][ÀÉÈÊÚÙÛÒÓÔÎÏŠŽ][a-z]?|\w\?\w|\\u[0-9a-fA-F]{4}"
)
_SHOUTED = re.compile(r"(?:\b[A-ZÀ-Þ]{2,}\b[ ,;:!’'-]*){4}")
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
_CONTRACTION = re.compile(r"\bà été\b|\b(?:de|à) les?\b(?! [A-Z])|\bde (?:[aeiouéè]\w{3})")
_NOT_CONTRACTED = re.compile(r"\b(?:à|de) Les? (?=[A-Z])")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
_TWICE = re.compile(r"(?i)\b([^\W\d_]{2,}) (\1)\b")
_WORDS_OF_A_SENTENCE = 6
_SURELY = 0.6
_MOST_COMMAS = 0.3
_NAMES = frozenset({"nom", "autre_nom", "commune", "departement"})
# Function words of the neighbours' languages that no French sentence needs.
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


def empty(checked: CheckedText) -> bool:
    return not any(character.isalpha() for character in checked.text)


def truncated(checked: CheckedText) -> bool:
    if empty(checked):
        return False
    # A name may leave a bracket open, and a mask may end between the two of a label.
    if _is_open(checked.whole.rest) and _is_open(checked.text):
        return True
    if _DANGLING.search(checked.whole.folded) is not None:
        return True
    if checked.masked.spans and checked.masked.spans[-1].end == len(checked.text):
        return checked.text[-1] not in ".!?…»"
    return _END.search(checked.text) is None


def _is_open(text: str) -> bool:
    return any(text.count(left) != text.count(right) for left, right in _PAIRS)


def too_short(checked: CheckedText) -> bool:
    words = len(checked.text.split())
    if words == 0 or words >= LEAST_WORDS:
        return False
    return words < LEAST_WORDS_OF_A_LINE or not _is_whole(checked)


def _is_whole(checked: CheckedText) -> bool:
    missing = (grounding.name_missing, grounding.city_missing, grounding.activity_missing)
    return checked.unread is NOTHING and not any(rule(checked) for rule in missing)


def too_long(checked: CheckedText) -> bool:
    return len(checked.whole.words) > MOST_WORDS


def not_french(checked: CheckedText) -> bool:
    """Return whether a sentence is in another language, or the text is a list without a verb."""
    if is_of_another_script(checked.unread.rest):
        return True
    if len(checked.unread.words) < _LEAST_WORDS_FOR_LANGUAGE:
        return False
    if _FINITE.search(checked.whole.folded) is None or _is_list(checked):
        return True
    plain = checked.whole.rest.replace(MASK, " ")
    if not is_french(" ".join(plain.split()), least_score=_LEAST_FRENCH):
        return True
    return any(map(_is_foreign, _SENTENCE.split(plain)))


def _is_list(checked: CheckedText) -> bool:
    return checked.whole.rest.count(",") > _MOST_COMMAS * max(len(checked.whole.words), 1)


def _is_foreign(sentence: str) -> bool:
    words = [token.folded for token in tokenise(sentence)]
    if len(words) < _LEAST_WORDS_FOR_LANGUAGE:
        return False
    foreign = sum(1 for word in words if word in _FOREIGN)
    if foreign > 1 and foreign > sum(1 for word in words if word in FUNCTION_WORDS):
        return True
    return len(words) >= _WORDS_OF_A_SENTENCE and is_foreign(sentence, least_score=_SURELY)


def markup(checked: CheckedText) -> bool:
    if _MARKUP.search(checked.whole.rest) is not None:
        return True
    signs = _SIGNS.intersection(checked.text)
    # A masked run of the activity's words may hide a sign that is in no fact.
    return bool(signs) and not any(
        sign in literal.folded for sign in signs for literal in checked.known.literals
    )


def control_chars(checked: CheckedText) -> bool:
    return not plainly_printable(checked.raw.strip()) and any(
        character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co"}
        for character in checked.raw.strip()
    )


def mojibake(checked: CheckedText) -> bool:
    return _MOJIBAKE.search(checked.whole.rest) is not None


def placeholder(checked: CheckedText) -> bool:
    return _PLACEHOLDER.search(checked.whole.rest) is not None


def prompt_leak(checked: CheckedText) -> bool:
    """Return whether the text has words of the prompt, or only repeats a name that gives orders."""
    if said("prompt_leak", checked) or _PROMPT_LEAK.search(checked.whole.folded):
        return True
    if repeats_prompt(checked.whole.folded):
        return True
    only_facts = not any(word.folded.isalpha() for word in checked.whole.words)
    return only_facts and _INJECTION.search(fold(checked.text)) is not None


def meta_talk(checked: CheckedText) -> bool:
    return said("meta_talk", checked) or _META.search(checked.whole.folded) is not None


def grammar(checked: CheckedText) -> bool:
    """Return whether words do not agree: only where a sentence is understood is that certain."""
    if _CONTRACTION.search(checked.whole.rest) or _NOT_CONTRACTED.search(checked.text):
        return True
    return any(one.understood and one.disagrees for one in checked.sentences)


def repetition(checked: CheckedText) -> bool:
    if says_again(checked.sentences):
        return True
    sentences = [fold(sentence) for sentence in _SENTENCE.split(checked.text)]
    long_sentences = [sentence for sentence in sentences if sentence.count(" ") > 1]
    if len(set(long_sentences)) < len(long_sentences) or _stammers(checked):
        return True
    if any(map(_says_twice, re.split(r"[.!?]", checked.whole.folded))):
        return True
    words = re.findall(rf"[a-z0-9]+|{MASK}+|[.!?]", checked.whole.folded)
    # « a à » folds to « a a ».
    if any(
        first == second and first.isalpha() and first != "a" for first, second in pairwise(words)
    ):
        return True
    twos = list(pairwise(words))
    if any(
        two == after and "".join(two).isalpha() for two, after in zip(twos, twos[2:], strict=False)
    ):
        return True
    grams = Counter(runs(words, _REPEATED_WORDS))
    # A run over the end of a sentence may come again: « … l’établissement. L’établissement … ».
    return any(
        count > 1 and not any(word in ".!?" or MASK in word for word in gram)
        for gram, count in grams.items()
    )


def _says_twice(sentence: str) -> bool:
    words = re.findall(rf"[a-z0-9]+|{MASK}+", sentence)
    threes = Counter(runs(words, 3))
    return any(count > 1 and "".join(three).isalpha() for three, count in threes.items())


def _stammers(checked: CheckedText) -> bool:
    """Return whether a word is doubled, except before a name: « la société SOCIETE NOUVELLE »."""
    for match in _TWICE.finditer(checked.text):
        word = fold(match.group(1))
        if any(f"{word} {word}" in one.folded for one in checked.known.literals):
            continue
        kinds = {_kind_at(checked, match.start(1)), _kind_at(checked, match.start(2))}
        if len(kinds) == 1 or kinds.isdisjoint(_NAMES):
            return True
    return False


def _kind_at(checked: CheckedText, position: int) -> str | None:
    spans = checked.masked.spans
    return next((span.kind for span in spans if span.start <= position < span.end), None)


def all_caps(checked: CheckedText) -> bool:
    letters = [character for character in checked.whole.rest if character.isalpha()]
    capitals = sum(map(str.isupper, letters))
    if len(letters) >= 20 and capitals > len(letters) / 2:  # noqa: PLR2004 fewer letters may be one acronym
        return True
    return _SHOUTED.search(checked.unread.rest) is not None


def malformed_json(checked: CheckedText) -> bool:
    return _JSON.search(checked.whole.rest) is not None


def refusal(checked: CheckedText) -> bool:
    return said("refusal", checked)
