"""Persons named in a customer's words. Pure.

A name that the firm itself bears, or its commune, names nobody.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from services.reviewer.french.data import prenoms
from services.reviewer.french.folding import Token, fold, tokenise
from shared.sirene.names.folded_names import FoldedNames
from shared.sirene.names.lexicon import chosen, is_common
from shared.sirene.reference import departements, noms_de_communes

_TITLES = frozenset(
    """
    m mr mm monsieur messieurs mme mmes madame mesdames mlle mademoiselle dr docteur docteure me
    maitre pr professeur professeure
    """.split()  # noqa: SIM905 a word list
)
_SHORT_TITLES = frozenset({"m", "me", "pr"})
# Whoever has one of these words before a capital is named: « le gérant Morel ».
_ROLES = frozenset(
    """
    gerant gerante patron patronne directeur directrice responsable vendeur vendeuse serveur
    serveuse chef cheffe conseiller conseillere commercial commerciale technicien technicienne
    proprietaire coiffeur coiffeuse agent agente assistante secretaire infirmiere medecin avocat
    avocate notaire collegue certain certaine nomme nommee prenomme prenommee appelle
    """.split()  # noqa: SIM905 a word list
)
_AFTER_A_NAME = frozenset(
    "est etait etaient ont a avait m nous vous et qui s sont fut sera aussi".split()  # noqa: SIM905 a word list
)
# A verb has to follow a word that no list knows: « Kenavo et merci ».
_VERBS_AFTER_A_NAME = _AFTER_A_NAME - {"et", "qui", "aussi", "s"}
# Words with a capital that name no person.
_PLACES_AND_BRANDS = frozenset(
    """
    google france europe facebook internet noel paques dieu sncf edf covid paris ttc ht tva rdv
    sav ok svp nb ps tb cb wifi iphone samsung apple amazon renault peugeot citroen bmw audi
    mercedes volkswagen toyota ford dacia janvier fevrier mars avril mai juin juillet aout
    septembre octobre novembre decembre lundi mardi mercredi jeudi vendredi samedi dimanche
    alsace bretagne normandie corse provence espagne italie allemagne belgique suisse portugal
    angleterre
    """.split()  # noqa: SIM905 a word list
)
# A street or a monument bears the name of somebody whom no review is about.
_NAMED_PLACES = frozenset(
    """
    rue avenue av boulevard bd place quai pont square cours gare eglise cathedrale musee stade
    theatre metro station chapelle basilique port halle statue
    """.split()  # noqa: SIM905 a word list
)
_THANKS = frozenset({"merci", "bravo", "demandez", "demander"})
_KIN = frozenset("papa maman papy papi mamie mamy tonton tata tatie tante oncle famille".split())  # noqa: SIM905 a word list
_FROM = frozenset({"de", "d", "du", "a", "des"})
_SENTENCE_END = re.compile(r"[.!?…:\n«»\"“”(\-–—]\s*$")
_MOSTLY = 0.6
_SHORTEST_NAME = 3
# In capitals a shorter one is an acronym: SAV, GPS, SNCF.
_SHORTEST_SURNAME = 5


def names_a_person(words: str, own_names: Iterable[str]) -> bool:
    """Return whether a person is named: by title, role, first name, or as no other word is."""
    text = unicodedata.normalize("NFKC", words)
    tokens = tokenise(text)
    own = frozenset(token.folded for name in own_names for token in tokenise(name))
    shouts = _is_shouted(text)
    return any(
        token.folded not in own and _is_name(text, tokens, place, shouts=shouts)
        for place, token in enumerate(tokens)
    )


def is_full_name(label: str) -> bool:
    """Return whether a signature is a first name with a whole surname, or has a title with one."""
    return any(map(_is_of_one_person, re.split(r"[,;(/|]|\bet\b|&", label)))


def _is_of_one_person(label: str) -> bool:
    words = [token for token in tokenise(label) if token.original.isalpha()]
    is_small = label == label.lower()
    named = [
        token
        for before, token in zip([None, *words], words, strict=False)
        if len(token.folded) >= _SHORTEST_NAME
        and token.folded not in _TITLES | _PLACES_AND_BRANDS | _KIN
        and not (before and before.folded in _FROM and token.folded in _places())
        and (token.capitalised or (is_small and _may_name(token)))
    ]
    first = [token for token in named if token.folded in prenoms()]
    if len(words) > 1 and words[0].folded in _TITLES:
        return bool(named)
    return bool(first) and len(named) > 1 and not (len(first) == len(named) and "-" in label)


def _may_name(token: Token) -> bool:
    return token.folded in prenoms() or not is_common(token.original)


def _is_shouted(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return sum(map(str.isupper, letters)) > _MOSTLY * len(letters)


def _is_name(text: str, tokens: Sequence[Token], place: int, *, shouts: bool) -> bool:
    token = tokens[place]
    if not token.folded.isalpha() or token.folded in _PLACES_AND_BRANDS:
        return False
    before = ""
    if place and not text[tokens[place - 1].end : token.start].strip(" .\u00a0"):
        before = tokens[place - 1].folded
    capital = token.capitalised and not shouts
    if _is_of_a_place(text, tokens, place):
        return False
    if before in _TITLES and _follows_title(token, before, capital=capital):
        return True
    starts = place == 0 or _SENTENCE_END.search(text[: token.start]) is not None
    if token.folded in prenoms():
        return (
            (capital and not starts)
            or not is_common(token.original)
            or (capital and _is_subject(tokens, place, _AFTER_A_NAME))
        )
    is_subject = _is_subject(tokens, place, _VERBS_AFTER_A_NAME)
    is_thanked = before in _THANKS and not is_common(token.original)
    is_strange = (
        is_thanked or before in _ROLES or not (_is_known(token) or (starts and not is_subject))
    )
    return capital and len(token.folded) >= _SHORTEST_NAME and is_strange


def _is_of_a_place(text: str, tokens: Sequence[Token], place: int) -> bool:
    """Return whether capitals lead back to a place: « la place Jeanne-d’Arc »."""
    for later, token in zip(
        tokens[place::-1], tokens[place - 1 :: -1] if place else (), strict=False
    ):
        if text[token.end : later.start].strip(" -'’"):
            return False
        if token.folded in _NAMED_PLACES:
            return True
        if not (token.capitalised or token.folded == "d"):
            return False
    return False


def _follows_title(token: Token, title: str, *, capital: bool) -> bool:
    if capital:
        return True
    # « il me dit », « madame est », « madame conseille »: a word of the language names nobody.
    is_word = len(token.folded) <= _SHORTEST_NAME or token.folded in _AFTER_A_NAME
    return title not in _SHORT_TITLES and not is_word and not is_common(token.original)


def _is_subject(tokens: Sequence[Token], place: int, verbs: frozenset[str]) -> bool:
    """Return whether « Claire est … » is said of a person, unlike « Pierre magnifique »."""
    return place + 1 < len(tokens) and tokens[place + 1].folded in verbs


def _is_known(token: Token) -> bool:
    """Return whether a capital stands on a French word, a place, a brand or an acronym."""
    is_acronym = token.original.isupper() and len(token.original) < _SHORTEST_SURNAME
    return is_acronym or is_common(token.original) or token.folded in _places()


@functools.cache
def _places() -> FoldedNames:
    of_areas = (each.nom for each in departements().values())
    return FoldedNames({*noms_de_communes(), *of_areas, *chosen("lieux")}, fold)
