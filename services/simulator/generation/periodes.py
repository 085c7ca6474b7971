"""The history of an establishment: periods that follow each other, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.simulator.generation import vocabulary
from services.simulator.generation.dates import (
    NAF_1993_START,
    NAF_REV1_START,
    NAF_REV2_START,
    UNKNOWN,
    day_before,
)
from services.simulator.generation.dice import Dice
from services.simulator.generation.etablissements import Etablissements, InventedEtablissement
from services.simulator.generation.metiers import Metier
from services.simulator.generation.noms import enseigne, identite

Periode = Mapping[str, str | bool | None]

_MOST_PERIODS = 7
# Real histories begin on such days, too: one in a thousand.
_IMPOSSIBLE_DATES = ("0001-01-01", "0198-07-01", "2104-01-01", "7490-12-31")
_OF_A_COMMON_ONE = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 5)


def _cut_sign(sign: str) -> dict[str, str | None]:
    """Cut the sign into three fields of 50 characters, be it inside a word."""
    return {
        f"enseigne{number}Etablissement": sign[50 * (number - 1) : 50 * number].strip() or None
        for number in (1, 2, 3)
    }


@dataclass(frozen=True, slots=True)
class _State:
    """The facts of a period; only the single period of some purged units has no `start`."""

    start: str | None
    etat: str | None
    naf: str | None
    nomenclature: str | None
    employeur: str | None
    enseigne: str | None
    usuelle: str | None


class Histories:
    def __init__(self, etablissements: Etablissements) -> None:
        self._etablissements = etablissements
        self._calendar = etablissements.calendar

    def periodes(self, etablissement: InventedEtablissement) -> list[Periode]:
        """Make one to seven periods, newest first; the current one ends at None."""
        dice = self._etablissements.dice("periodes", etablissement.index)
        if etablissement.created is None:
            etat = dice.pick((None, "F", "A"))
            return _described([_State(None, etat, None, None, "N", None, None)])
        return _described(self._states(etablissement, etablissement.created, dice))

    def _states(
        self, etablissement: InventedEtablissement, created: str, dice: Dice
    ) -> list[_State]:
        sign, usual = self._signs(etablissement, dice)
        employeur = "O" if dice.chance(350) else "N"
        facts = _State(created, "A", None, None, employeur, sign, usual)
        ending = self._closing_date(created, dice) if etablissement.ferme else None
        starts = self._starts(created, ending, dice)
        states = []
        for rank, start in enumerate(starts):
            naf, nomenclature = _activity_at(etablissement.unite.metier, start)
            state = replace(facts, start=start, naf=naf, nomenclature=nomenclature)
            if rank == 0 and len(starts) > 1 and dice.chance(300):
                state = replace(state, employeur=None)
            states.append(state)
            changed = dice.below(10)
            if changed < 4:  # noqa: PLR2004 - it hired, or let go
                facts = replace(facts, employeur="N" if facts.employeur == "O" else "O")
            elif changed < 7:  # noqa: PLR2004 - another sign on the door
                name = enseigne(etablissement.unite, etablissement.commune, dice)
                facts = replace(facts, enseigne=name)
        if ending is not None:
            states[-1] = replace(states[-1], etat="F", employeur="N")
        oddity = self._etablissements.dice("impossible", etablissement.index)
        if oddity.chance(1):
            states[0] = replace(states[0], start=oddity.pick(_IMPOSSIBLE_DATES))
        if len(states) > 1 and dice.chance(8):
            states[0] = replace(states[0], etat=None, naf=None, nomenclature=None)
        return states

    def _signs(
        self, etablissement: InventedEtablissement, dice: Dice
    ) -> tuple[str | None, str | None]:
        """Draw the sign and usual denomination; one establishment in fifty has strange ones."""
        if dice.chance(20):
            strange = dice.pick(vocabulary.STRANGE_NAMES)[:50]
            return (strange, None) if dice.chance(600) else (None, strange)
        unite = etablissement.unite
        has_sign, has_usual = dice.chance(180 if unite.personne_physique else 280), dice.chance(120)
        if not (has_sign or has_usual):
            return None, None
        known = None
        if not unite.personne_physique and dice.chance(500):
            known = identite(unite, self._etablissements.seed).denomination
        sign = known or enseigne(unite, etablissement.commune, dice)
        return (sign if has_sign else None), (sign[:50] if has_usual else None)

    def _closing_date(self, created: str, dice: Dice) -> str:
        start = created if created < self._calendar.day else NAF_REV2_START
        return self._calendar.after(max(start, "1990-01-01"), dice)

    def _starts(self, created: str, ending: str | None, dice: Dice) -> list[str]:
        """Draw the starts, oldest first: creation, new nomenclatures, events, closing."""
        limit = ending or self._calendar.day
        starts = {created}
        starts.update(
            day for day in (NAF_1993_START, NAF_REV1_START, NAF_REV2_START) if created < day < limit
        )
        if created < limit:
            since = max(created, "1985-01-01")
            years = int(limit[:4]) - int(since[:4])
            events = min(dice.pick(_OF_A_COMMON_ONE), years)
            starts.update(self._calendar.between(since, limit, dice) for _ in range(events))
        kept = sorted(day for day in starts if day <= limit or day == created)
        if ending is not None:
            kept = [day for day in kept if day != ending][: _MOST_PERIODS - 1]
            return [*kept, ending]
        return kept[:_MOST_PERIODS]


def _activity_at(metier: Metier, start: str) -> tuple[str | None, str | None]:
    """Return the code and nomenclature in force when a period began."""
    if start >= NAF_REV2_START:
        return metier.naf, "NAFRev2"
    if start >= NAF_REV1_START:
        return metier.naf_rev1, "NAFRev1"
    if start >= NAF_1993_START:
        return metier.naf_rev1, "NAF1993"
    if start == UNKNOWN:
        return None, None
    return metier.nap, "NAP"


def _described(states: Sequence[_State]) -> list[Periode]:
    """Write the periods as the API does, newest first. The oldest one changes nothing."""
    periods: list[Periode] = []
    for rank, state in enumerate(states):
        before = states[rank - 1] if rank else state
        following = states[rank + 1].start if rank + 1 < len(states) else None
        periods.append(
            {
                "dateFin": None if following is None else day_before(following),
                "dateDebut": state.start,
                "etatAdministratifEtablissement": state.etat,
                "changementEtatAdministratifEtablissement": state.etat != before.etat,
                **_cut_sign(state.enseigne or ""),
                "changementEnseigneEtablissement": state.enseigne != before.enseigne,
                "denominationUsuelleEtablissement": state.usuelle,
                "changementDenominationUsuelleEtablissement": state.usuelle != before.usuelle,
                "activitePrincipaleEtablissement": state.naf,
                "nomenclatureActivitePrincipaleEtablissement": state.nomenclature,
                "changementActivitePrincipaleEtablissement": (state.naf, state.nomenclature)
                != (before.naf, before.nomenclature),
                "caractereEmployeurEtablissement": state.employeur,
                "changementCaractereEmployeurEtablissement": state.employeur != before.employeur,
            }
        )
    periods.reverse()
    return periods
