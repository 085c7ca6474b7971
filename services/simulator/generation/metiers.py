"""The activities of units: their frequency, their older codes, and names that suit them."""

from bisect import bisect_right
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
    poids_personne: int = 0
    poids_societe: int = 0


class Metiers:
    """Draws common activities by weight, and one time in ten any other of NAF Rev2."""

    def __init__(self) -> None:
        newer = reference.naf_2025_by_naf()
        self._common = [
            Metier(
                *(row["code"], newer[row["code"]], row["naf_rev1"], row["nap"]),
                enseignes=tuple(row["enseignes"].split("|")),
                poids_personne=int(row["poids_personne"]),
                poids_societe=int(row["poids_societe"]),
            )
            for row in reference.rows("metiers.csv")
        ]
        self._rare = [_rare(naf) for naf in sorted(newer) if naf[:2] not in _OF_NO_COMPANY]
        self._by_naf = {metier.naf: metier for metier in (*self._rare, *self._common)}
        self._ends = {
            True: list(accumulate(metier.poids_personne for metier in self._common)),
            False: list(accumulate(metier.poids_societe for metier in self._common)),
        }

    def named(self, naf: str) -> Metier:
        return self._by_naf[naf]

    def draw(self, natural_person: bool, dice: Dice) -> Metier:
        if dice.chance(100):
            return dice.pick(self._rare)
        ends = self._ends[natural_person]
        return self._common[bisect_right(ends, dice.below(ends[-1]))]


metiers = cache(Metiers)


def _rare(naf: str) -> Metier:
    """Give plausible older codes, always the same, to an activity that no table lists."""
    number = int(naf[:2] + naf[3:5])
    rev1, nap = reference.older_activities("NAFRev1"), reference.older_activities("NAP")
    names = ("{nom} ET FILS", "ETABLISSEMENTS {nom}", "{nom} {prenom}", "SOCIETE NOUVELLE {nom}")
    older = rev1[number * len(rev1) // 10_000], nap[number * len(nap) // 10_000]
    return Metier(naf, reference.naf_2025_by_naf()[naf], *older, names)
