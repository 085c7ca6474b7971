"""The night in which NAF 2025 becomes the reference, in each of the forms that INSEE may send.

Its day is one of mass treatment: every record is dated anew, and those with a code of NAF 2025 get
it as their activity. Closed ones have none, and keep that of NAF rév. 2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.simulator.errors import BadChangeError
from services.simulator.generation.dates import day_before
from services.simulator.record import Draft

_REPLACED = "NAFRev2"
_SPREAD_MS = 352_648  # as many as a day's file holds, from midnight on
_SUFFIXES = {"periodesEtablissement": "Etablissement", "periodesUniteLegale": "UniteLegale"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Naf2025Form:
    """`keys_gone` drops the announced keys of NAF 2025; `old_key` keeps the replaced code."""

    nomenclature: str
    new_period: bool = False
    keys_gone: bool = False
    old_key: bool = False


FORMS: Mapping[str, Naf2025Form] = {
    "new-period": Naf2025Form(nomenclature="NAF2025", new_period=True),
    "in-place": Naf2025Form(nomenclature="NAF25"),
    "other-name": Naf2025Form(nomenclature="NAFRev3"),
    "old-name": Naf2025Form(nomenclature=_REPLACED),
    "keys-gone": Naf2025Form(nomenclature="NAF2025", new_period=True, keys_gone=True),
    "key-added": Naf2025Form(nomenclature="NAF2025", new_period=True, old_key=True),
}


def form_named(name: str) -> Naf2025Form:
    """Raises BadChangeError for a form that nobody plays."""
    form = FORMS.get(name)
    if form is None:
        raise BadChangeError(f"no such form: {name}; known: {', '.join(FORMS)}")
    return form


class Naf2025Night:
    """The treatment of the night that follows `last_day`: the same records give the same ones."""

    def __init__(self, form: Naf2025Form, last_day: str) -> None:
        self._form = form
        self.day = (date.fromisoformat(last_day) + timedelta(days=1)).isoformat()

    def treated(self, identifier: str, before: object) -> str:
        """Return the date of treatment: that of the night, or of a later change."""
        seconds, milliseconds = divmod(int(identifier) % _SPREAD_MS, 1000)
        at = f"{self.day}T00:{seconds // 60:02d}:{seconds % 60:02d}.{milliseconds:03d}"
        return max(str(before or ""), at)

    def applied(self, record: Draft) -> Draft:
        """Treat the record in place, its unit's block too, and return it."""
        block = record.get("uniteLegale")
        if block is not None:
            self._treat(block, "UniteLegale", str(record["siren"]), [block])
        for name, suffix in _SUFFIXES.items():
            if name in record:
                identifier = str(record["siret" if suffix == "Etablissement" else "siren"])
                self._treat(record, suffix, identifier, record[name])
                record[f"nombrePeriodes{suffix}"] = len(record[name])
        return record

    def columns(self, names: Sequence[str]) -> Sequence[str]:
        """Return the columns of a stock file: what keys come and go in records do in files."""
        kept = [name for name in names if "NAF25" not in name or not self._form.keys_gone]
        if not self._form.old_key:
            return kept
        return kept + [name.replace("NAF25", "NAFRev2") for name in names if "NAF25" in name]

    def _treat(self, place: Draft, suffix: str, identifier: str, periods: list[Draft]) -> None:
        """Treat the block or record that holds the values outside of its periods, newest first."""
        treated = f"dateDernierTraitement{suffix}"
        place[treated] = self.treated(identifier, place.get(treated))
        activite = f"activitePrincipale{suffix}"
        nomenclature = f"nomenclatureActivitePrincipale{suffix}"
        code = place.get(f"activitePrincipaleNAF25{suffix}")
        newest = periods[0] if periods else {}
        replaced = newest.get(activite) if newest.get(nomenclature) == _REPLACED else None
        if code is not None and replaced is not None:
            if newest is not place and self._form.new_period:
                newest = self._begun(periods, suffix)
            newest[activite], newest[nomenclature] = code, self._form.nomenclature
        if self._form.old_key:
            place[f"activitePrincipaleNAFRev2{suffix}"] = replaced
        if self._form.keys_gone:
            place.pop(f"activitePrincipaleNAF25{suffix}", None)

    def _begun(self, periods: list[Draft], suffix: str) -> Draft:
        """Begin a period on this day, and return it; one that begins later is the newest still."""
        before = periods[0]
        if (before.get("dateDebut") or self.day) >= self.day:
            return before
        unchanged = {name: False for name in before if name.startswith("changement")}
        begun = {**before, **unchanged, "dateDebut": self.day}
        begun[f"changementActivitePrincipale{suffix}"] = True
        periods[0] = {**before, "dateFin": day_before(self.day)}
        periods.insert(0, begun)
        return begun
