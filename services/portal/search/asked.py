"""The words of a question, as they were typed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.portal.search.terms import AllOf, AnyOf, Lexeme, Terms
from shared.search.communes import find_commune
from shared.search.trades import find_trades
from shared.search.words import STOP_WORDS, may_be_mended, telling, words_of
from shared.sirene.identifiers import is_siren, is_siret

_MOST_TYPED = 12
_MOST_WORDS = 8
# Numbers that stand for a prefix, whose words nobody has counted.
_PREFIX_FACTOR, _LEAST_OF_A_PREFIX = 20, 50
# Nobody has counted the entries of an activity either.
_OF_AN_ACTIVITY = 20_000
_WORDS_OF_SPEECH = """
    adresse aller avis avoir besoin bonjour c cherche chercher comment connaitre contact
    contacter coordonnees est faut horaire horaires ils je j me moi nom numero ou ouvert peux
    pour pouvez quand que quel quelle quels quelles qui quoi recherche s se sont svp tel
    telephone trouve trouver veux voudrais vous y
"""
_SPEECH = frozenset(_WORDS_OF_SPEECH.split())
_LEAST_SPEECH = 2
_KINDS_OF_STREETS = """
    allee allees avenue boulevard chaussee chemin cours esplanade faubourg impasse lotissement
    passage place promenade quai residence route rue ruelle sentier square venelle
"""
_STREETS = frozenset(_KINDS_OF_STREETS.split())


@dataclass
class AskedWord:
    """A word of a question; `documents` is the number of entries that have it.

    `near` has the lexemes that may be meant, each with its distance and its own number; two words
    with a space between them are one word that was written as one. `in_names`: only names count.
    `is_prefix`: what begins so counts, too. `activites` are the codes of what the word calls.
    """

    text: str
    in_names: bool = False
    is_prefix: bool = False
    documents: int = 0
    near: dict[str, tuple[float, int]] = field(default_factory=dict)
    activites: Sequence[str] = ()

    @property
    def is_known(self) -> bool:
        return self.documents > 0 or self.is_prefix

    @property
    def may_be_mended(self) -> bool:
        return may_be_mended(self.text) and not self.is_prefix

    @property
    def frequency(self) -> int:
        if not self.is_prefix:
            return self.documents
        return _PREFIX_FACTOR * max(self.documents, _LEAST_OF_A_PREFIX)

    @property
    def wide_frequency(self) -> int:
        """The number of entries of the word, of one that may be meant, of what it calls."""
        of_activites = _OF_AN_ACTIVITY if self.activites else 0
        return self.frequency + of_activites + sum(number for _, number in self.near.values())

    def query(self) -> Lexeme:
        return self._lexeme(self.text, is_prefix=self.is_prefix)

    def wide_query(self) -> AnyOf:
        """Return the word, or one that may be meant, or the activities that it calls.

        False where no entry has any of them.
        """
        parts: list[Terms] = [self.query()] if self.is_known else []
        for lexeme in self.near:
            both = [self._lexeme(word) for word in lexeme.split()]
            parts.append(AllOf(both) if len(both) > 1 else both[0])
        parts += [Lexeme(f"n={code}") for code in self.activites]
        return AnyOf(parts)

    def _lexeme(self, word: str, *, is_prefix: bool = False) -> Lexeme:
        return Lexeme(word, "A" if self.in_names else "", is_prefix)


@dataclass(frozen=True)
class Asked:
    """The words of a question: all that were typed, and those that tell something."""

    typed: Sequence[str]
    words: Sequence[AskedWord]
    ignored: Sequence[str]

    @classmethod
    def of(cls, q: str, nom: str = "", *, is_beginning: bool = False) -> "Asked":
        """Read a question; of a beginning the last word may go on."""
        typed, named = words_of(q)[:_MOST_TYPED], words_of(nom)[:_MOST_TYPED]
        told = telling(typed)[:_MOST_WORDS]
        activites = {} if is_beginning else _activites(typed)
        words = [AskedWord(word, activites=activites.get(word, ())) for word in told]
        words += [AskedWord(word, in_names=True) for word in telling(named)[:_MOST_WORDS]]
        if is_beginning and typed and words[-1].text == typed[-1]:
            words[-1].is_prefix = len(typed[-1]) > 1
        kept = {word.text for word in words}
        ignored = [word for word in dict.fromkeys([*typed, *named]) if word not in kept]
        return cls(typed, words, ignored)

    def bare(self) -> "Asked | None":
        """Read it without what is said around a name; None where there is nothing of it."""
        typed = _without_speech(self.typed)
        if len(typed) == len(self.typed):
            return None
        activites = _activites(typed)
        words = [
            AskedWord(word, activites=activites.get(word, ()))
            for word in telling(typed)[:_MOST_WORDS]
        ]
        return Asked(typed, [*words, *(word for word in self.words if word.in_names)], self.ignored)


def _without_speech(typed: Sequence[str]) -> Sequence[str]:
    """Leave out a question before a name, and the street behind it; a commune at the end stays."""
    first = 0
    while first < len(typed) and typed[first] in _SPEECH | STOP_WORDS:
        first += 1
    # One of these words alone may be a name.
    if sum(word in _SPEECH for word in typed[:first]) < _LEAST_SPEECH or first == len(typed):
        first = 0
    street = next((at for at in range(first + 1, len(typed)) if typed[at] in _STREETS), None)
    if street is None:
        return typed[first:]
    behind = typed[street + 1 :]
    return [*typed[first:street], *_commune_at_end(behind)]


def _commune_at_end(street: Sequence[str]) -> Sequence[str]:
    """Return the commune that the name of a street ends with; not that of the rue de Paris."""
    commune = find_commune(street)
    if (
        commune is None
        or commune.end < len(street)
        or STOP_WORDS.issuperset(street[: commune.first])
    ):
        return ()
    return street[commune.first :]


def _activites(typed: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the codes of what each word calls, alone or with those beside it."""
    return {
        word: trade.codes for trade in find_trades(typed) for word in typed[trade.first : trade.end]
    }


def number_in(q: str) -> str | None:
    """Return the siren or siret that was asked for, spaces apart."""
    digits = "".join(q.split())
    return digits if is_siren(digits) or is_siret(digits) else None
