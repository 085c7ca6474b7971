"""The activities of units: their frequency, their older codes, and names that suit them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from services.simulator.generation import reference
from services.simulator.generation.dice import Dice

# Public administration, households, bodies of other states.
_OF_NO_COMPANY = ("84", "97", "98", "99")


@dataclass(frozen=True, slots=True)
class Metier:
    naf: str
    naf_2025: str
    naf_rev1: str
    nap: str
    enseignes: tuple[str, ...]


class Metiers:
    """Draws common activities by weight, and one time in ten any other of NAF Rev2."""

    def __init__(self, common: Sequence[tuple[Metier, int, int]], rare: Sequence[Metier]) -> None:
        self._common = [metier for metier, _, _ in common]
        self._by_naf = {metier.naf: metier for metier in (*rare, *self._common)}
        self._rare = rare
        self._ends = {
            True: list(accumulate(weight for _, weight, _ in common)),
            False: list(accumulate(weight for _, _, weight in common)),
        }

    def named(self, naf: str) -> Metier:
        return self._by_naf[naf]

    def draw(self, natural_person: bool, dice: Dice) -> Metier:
        if dice.chance(100):
            return dice.pick(self._rare)
        ends = self._ends[natural_person]
        return self._common[bisect_right(ends, dice.below(ends[-1]))]


@cache
def metiers() -> Metiers:
    newer = reference.naf_2025_by_naf()
    common = [
        (
            Metier(
                row["code"],
                newer[row["code"]],
                row["naf_rev1"],
                row["nap"],
                tuple(row["enseignes"].split("|")),
            ),
            int(row["poids_personne"]),
            int(row["poids_societe"]),
        )
        for row in reference.rows("metiers.csv")
    ]
    rare = [naf for naf in sorted(newer) if naf[:2] not in _OF_NO_COMPANY]
    return Metiers(common, [_rare(naf) for naf in rare])


def _rare(naf: str) -> Metier:
    """Give plausible older codes, always the same, to an activity that no table lists."""
    number = int(naf[:2] + naf[3:5])
    rev1, nap = reference.older_activities("NAFRev1"), reference.older_activities("NAP")
    names = ("{nom} ET FILS", "ETABLISSEMENTS {nom}", "{nom} {prenom}", "SOCIETE NOUVELLE {nom}")
    return Metier(
        naf,
        reference.naf_2025_by_naf()[naf],
        rev1[number * len(rev1) // 10_000],
        nap[number * len(nap) // 10_000],
        names,
    )
