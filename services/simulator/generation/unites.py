"""Legal units as a function of their number, with the establishments that they own."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate

from services.simulator.generation import reference, vocabulary
from services.simulator.generation.dates import Calendar
from services.simulator.generation.dice import Dice
from services.simulator.generation.identifiers import LA_POSTE, siren_of
from services.simulator.generation.metiers import Metier, metiers

NATURAL_PERSON = "1000"

# The first eight digits of SIREN by the year of registration, oldest first: base,
# share of the units in thousandths, year. Administrations have 1 and 2, old associations 77 and 78.
_SERIES: Sequence[tuple[int, int, int]] = (
    (541_022, 4, 1955),
    (13_000_000, 8, 1970),
    (30_000_000, 90, 1972),
    (38_000_000, 110, 1990),
    (44_000_000, 130, 2002),
    (53_000_000, 60, 2011),
    (75_000_000, 8, 2012),
    (77_500_000, 40, 1965),
    (79_000_000, 180, 2013),
    (85_000_000, 170, 2019),
    (91_000_000, 200, 2022),
    (99_500_000, 0, 2026),
)
_OLD = 402  # share of the units registered before 2011, in thousandths
_STARTS = [0, *accumulate(share for _, share, _ in _SERIES)][:-1]
_ROOM_NEEDED = 4
_MOST_OF_A_SOLE_TRADER = 5
_POST_OFFICES = 49
_PUBLIC = "12"  # first digits of the SIREN of administrations

# The sizes of units, the most common first: smallest size, count of sizes from there on.
_SIZES = ((1, 1), (2, 1), (3, 3), (6, 10), (16, 35))
_SIZE_ENDS = (8_600, 9_500, 9_900, 9_990)


@dataclass(frozen=True, slots=True)
class Unite:
    """The facts that the rest of a unit's record is made of; nothing here is masked."""

    number: int
    siren: str
    first: int  # index of its first establishment
    count: int
    forme: str
    metier: Metier
    commune: reference.DrawnCommune
    cessee: bool
    partielle: bool
    purgee: bool
    created: str

    @property
    def personne_physique(self) -> bool:
        return self.forme == NATURAL_PERSON


class Unites:
    """All units, in the order of their SIREN; together they own `establishments` establishments."""

    def __init__(
        self, seed: int, establishments: int, communes: reference.CommuneMap, calendar: Calendar
    ) -> None:
        self._seed = seed
        self._communes = communes
        self._calendar = calendar
        self._firsts = array("I")
        self._establishments = establishments
        placed = 0
        while placed < establishments:
            self._firsts.append(placed)
            placed += self._size(len(self._firsts) - 1)
        # The SIRENs are spread over this many units; the number stays when La Poste replaces some.
        self._span = len(self._firsts)
        self._post = self._number_of_the_post()
        self._enlarge_the_post(min(_POST_OFFICES, establishments // 500))
        self.unite = lru_cache(maxsize=8192)(self._build)

    def __len__(self) -> int:
        return len(self._firsts)

    def owner_of(self, index: int) -> Unite:
        """Return the unit that owns the establishment at this index."""
        return self.unite(self.number_at(index))

    def siren(self, number: int) -> str:
        return LA_POSTE if number == self._post else siren_of(self._base(number))

    def spare_siren(self, number: int) -> str | None:
        """Return a valid SIREN of no unit, just after this unit's; None where there is no room."""
        base = self._base(number)
        if self._base(number + 1) - base < _ROOM_NEEDED or self.siren(number) == LA_POSTE:
            return None
        return siren_of(base + 1)

    def _size(self, number: int) -> int:
        """Draw the number of establishments: mostly one, often two or three, rarely up to fifty."""
        dice = Dice(self._seed, "taille", number)
        smallest, spread = _SIZES[bisect_right(_SIZE_ENDS, dice.below(10_000))]
        return smallest + dice.below(spread)

    def _number_of_the_post(self) -> int:
        """Return the unit that gives way to La Poste: the last one whose SIREN is below."""
        after = bisect_right(range(self._span), int(LA_POSTE[:8]), key=self._base)
        return max(after - 1, 0)

    def _enlarge_the_post(self, more: int) -> None:
        """Give it more establishments; the last units of the register make room."""
        for number in range(self._post + 1, len(self._firsts)):
            self._firsts[number] += more
        while self._firsts[-1] >= self._establishments:
            self._firsts.pop()

    def _base(self, number: int) -> int:
        """Draw the first eight digits: they grow with the number, by random steps."""
        if number >= self._span:
            return _SERIES[-1][0]
        shift = Dice(self._seed, "siren", number).below(800) / 1000
        series, along = self._place(number + shift)
        start = _SERIES[series][0]
        return start + int(along * (_SERIES[series + 1][0] - start))

    def _place(self, number: float) -> tuple[int, float]:
        """Return the series of the unit's SIREN, and its place along it, from 0 to 1."""
        position = min(number * 1000 / self._span, 999.999999)
        series = bisect_right(_STARTS, position) - 1
        return series, (position - _STARTS[series]) / _SERIES[series][1]

    def _year(self, number: int) -> int:
        series, along = self._place(number)
        year = _SERIES[series][2]
        return year + int(along * (max(_SERIES[series + 1][2], year + 1) - year))

    # Each fact has its own dice: a query reads one fact of every unit, and must not pay for the
    # whole unit.

    def commune(self, number: int) -> reference.DrawnCommune:
        return self._communes.draw(Dice(self._seed, "commune", number))

    def cessee(self, number: int) -> bool:
        return Dice(self._seed, "cessation", number).chance(250) and number != self._post

    def purgee(self, number: int) -> bool:
        return Dice(self._seed, "purge", number).chance(4) and self.count(number) == 1

    def is_old(self, number: int) -> bool:
        """Return whether it was registered before about 2011."""
        return number * 1000 < _OLD * self._span

    def first(self, number: int) -> int:
        """Return the index of the unit's first establishment."""
        return self._firsts[number] if number < len(self) else self._establishments

    def count(self, number: int) -> int:
        return self.first(number + 1) - self.first(number)

    def number_at(self, index: int) -> int:
        """Return the number of the unit that owns the establishment at this index."""
        return bisect_right(self._firsts, index) - 1

    def _build(self, number: int) -> Unite:
        dice = Dice(self._seed, "unite", number)
        siren, count = self.siren(number), self.count(number)
        natural = (
            dice.chance(530)
            and count <= _MOST_OF_A_SOLE_TRADER
            and siren[0] not in _PUBLIC
            and siren != LA_POSTE
        )
        forme = NATURAL_PERSON if natural else _pick_forme(dice, siren)
        return Unite(
            number=number,
            siren=siren,
            first=self.first(number),
            count=count,
            forme=forme,
            metier=metiers().named("53.10Z") if siren == LA_POSTE else _pick_metier(dice, forme),
            commune=self.commune(number),
            cessee=self.cessee(number),
            partielle=dice.chance(230 if natural else 25) and siren != LA_POSTE,
            purgee=self.purgee(number),
            created=self._calendar.creation(self._year(number), dice),
        )


def _pick_forme(dice: Dice, siren: str) -> str:
    drawn = dice.below(_forme_ends()[-1])
    if siren == LA_POSTE:
        return "5599"
    if siren[0] in _PUBLIC:
        return dice.pick(("7210", "7210", "7210", "7348", "7361", "7331"))
    return vocabulary.FORMES[bisect_right(_forme_ends(), drawn)][0]


@cache
def _forme_ends() -> Sequence[int]:
    return list(accumulate(weight for _, weight in vocabulary.FORMES))


def _pick_metier(dice: Dice, forme: str) -> Metier:
    usual = vocabulary.ACTIVITES_DES_FORMES.get(forme)
    if usual:
        return metiers().named(dice.pick(usual))
    return metiers().draw(forme == NATURAL_PERSON, dice)
