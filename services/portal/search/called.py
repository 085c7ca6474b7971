"""The activities that a question calls, and the place and other words beside them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.portal.search.asked import Asked, AskedWord
from services.portal.search.conditions import any_of
from services.portal.search.engine import Filters
from services.portal.search.terms import AnyOf
from shared.search.communes import NamedCommune, find_commune
from shared.search.trades import find_trades
from shared.search.words import telling

OF_A_COMMUNE = 3000
"""A guess at the entries of a commune."""


@dataclass(frozen=True)
class Called:
    """Words that call activities, a commune that others name, and the rest.

    `is_place`: the whole question names this commune, too.
    """

    words: Sequence[AskedWord]
    rest: Sequence[AskedWord]
    commune: NamedCommune | None
    is_place: bool

    @classmethod
    def of(cls, asked: Asked) -> "Called | None":
        """Read a question; None where nothing is called, or the rest has a word of no entry."""
        words = [word for word in asked.words if word.activites]
        if not words:
            return None
        typed = asked.typed
        inside = {at for each in find_trades(typed) for at in range(each.first, each.end)}
        outside = [word for at, word in enumerate(typed) if at not in inside]
        commune = find_commune(outside)
        if commune is not None:
            outside = [*outside[: commune.first], *outside[commune.end :]]
        left = set(telling(outside)) if outside else set()
        rest = [
            word
            for word in asked.words
            if not word.activites and (word.in_names or word.text in left)
        ]
        if not all(word.is_known for word in rest):
            return None
        whole = find_commune(typed)
        is_place = commune is not None and whole is not None and whole.told == commune.told
        return cls(words, rest, commune, is_place)

    def groups(self) -> list[AnyOf]:
        """Return the terms that a row meets, each of them."""
        place = [any_of("c", self.commune.codes)] if self.commune else []
        return [*(word.wide_query() for word in (*self.words, *self.rest)), *place]

    def numbers(self) -> list[int]:
        """Return the numbers of entries that meet each group, as far as they can be guessed."""
        numbers = [word.wide_frequency for word in (*self.words, *self.rest)]
        return [*numbers, OF_A_COMMUNE] if self.commune else numbers

    def filters(self, wanted: Filters) -> Filters | None:
        """Return filters that say the same, if one activity in one place is all that is asked."""
        activites = {tuple(word.activites) for word in self.words}
        if self.rest or len(activites) > 1 or wanted.activite_principale:
            return None
        communes = wanted.code_commune
        if self.commune is not None:
            if communes or not self.is_place:
                return None
            communes = self.commune.told
        if not communes:
            return None
        return replace(wanted, code_commune=communes, activite_principale=self.words[0].activites)
