"""Establishments as a function of their index, in the order of their SIRET."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.simulator.generation import reference
from services.simulator.generation.dates import Calendar
from services.simulator.generation.dice import Dice
from services.simulator.generation.identifiers import siret_of
from services.simulator.generation.unites import Unite, Unites

_ONE_ABROAD_IN = 500


@dataclass(frozen=True, slots=True)
class InventedEtablissement:
    """The facts that an establishment's record is made of; nothing here is masked.

    `commune` is None abroad. `created` and `treated` are None for some purged units.
    """

    index: int
    siret: str
    unite: Unite
    siege: bool
    commune: reference.DrawnCommune | None
    ferme: bool
    partielle: bool
    created: str | None
    treated: str | None


class Etablissements:
    def __init__(self, seed: int, count: int, departements: Sequence[str], day: str) -> None:
        self.seed = seed
        self.calendar = Calendar(day)
        self.everywhere = not departements
        self._communes = reference.communes(departements)
        self.unites = Unites(seed, count, self._communes, self.calendar)
        self._count = count
        self.etablissement = lru_cache(maxsize=8192)(self._build)

    def __len__(self) -> int:
        return self._count

    def dice(self, purpose: str, index: int) -> Dice:
        return Dice(self.seed, purpose, index)

    def siret(self, index: int) -> str:
        unite = self.unites.owner_of(index)
        return siret_of(unite.siren, self._number(unite, index))

    def commune(self, index: int) -> reference.DrawnCommune | None:
        """Draw its commune: half of a unit's establishments are in the unit's département."""
        number = self.unites.number_at(index)
        if self.everywhere and number % _ONE_ABROAD_IN == 0:
            return None
        home = self.unites.commune(number)
        if index == self.unites.first(number):
            return home
        dice = self.dice("commune secondaire", index)
        if dice.chance(500):
            return self._communes.draw_within(home.departement, dice)
        return self._communes.draw(dice)

    def treated(self, index: int) -> str | None:
        dice = self.dice("traitement", index)
        number = self.unites.number_at(index)
        if dice.chance(500) and self.unites.purgee(number):
            return None
        return self.calendar.treatment(dice, may_be_old=self.unites.is_old(number))

    def ferme(self, index: int) -> bool:
        """Return whether it is closed: three in ten, most often in ceased units, seldom a seat."""
        number = self.unites.number_at(index)
        if self.unites.cessee(number):
            return True
        per_mille = 10 if index == self.siege_index(number) else 180
        return self.dice("etat", index).chance(per_mille)

    def partielle(self, index: int) -> bool:
        unite = self.unites.owner_of(index)
        return self.dice("diffusion", index).chance(920 if unite.partielle else 15)

    def siege_index(self, number: int) -> int:
        """Return the seat's index: the first establishment, or any of the unit after a move."""
        first, count = self.unites.first(number), self.unites.count(number)
        if count == 1:
            return first
        dice = self.dice("siege", number)
        return first if dice.chance(600) else first + dice.below(count)

    def _number(self, unite: Unite, index: int) -> int:
        """Return its number inside the unit: ascending, with gaps."""
        rank = index - unite.first
        dice = self.dice("pas", unite.number)
        if unite.count == 1:
            return 1 + dice.below(5) * dice.below(2)
        step = 1 + dice.below(3)
        return 1 + rank * step + (self.dice("saut", index).below(step) if step > 1 else 0)

    def _build(self, index: int) -> InventedEtablissement:
        unite = self.unites.owner_of(index)
        return InventedEtablissement(
            index=index,
            siret=self.siret(index),
            unite=unite,
            siege=index == self.siege_index(unite.number),
            commune=self.commune(index),
            ferme=self.ferme(index),
            partielle=self.partielle(index),
            created=self._created(unite, index),
            treated=self.treated(index),
        )

    def _created(self, unite: Unite, index: int) -> str | None:
        dice = self.dice("creation", index)
        if unite.purgee and dice.chance(500):
            return None
        if index == unite.first or dice.chance(200) or unite.created >= self.calendar.day:
            return unite.created
        return self.calendar.after(unite.created, dice)
