"""The answer of `/informations`: what is up, and how fresh each collection is."""

from datetime import date

from services.simulator.errors import BadChangeError
from services.simulator.generation.dates import MASS_DAY, Calendar

_COLLECTIONS = ("Unités Légales", "Établissements", "Liens de succession")
_VERSION = "3.11.95"
_JOURNAL = "https://portail-api.insee.fr/catalog/api/2ba0e549-5587-3ef1-9082-99cd865de66f/doc"


class Publication:
    """The day that INSEE has published: the register's own until a POST sets a later one.

    It changes no record: `/__updates` sets the values that a later day brings.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._days = dict.fromkeys(_COLLECTIONS, calendar.day)
        self._mass_day = MASS_DAY
        self._etats = dict.fromkeys(_COLLECTIONS, "UP")

    def change(self, values: dict[str, object]) -> dict[str, object]:
        """Set `day` or `etat` of a `collection`, or of all. Raises BadChangeError otherwise."""
        collection = values.get("collection")
        if collection is not None and collection not in _COLLECTIONS:
            raise BadChangeError(f"no such collection; known: {', '.join(_COLLECTIONS)}")
        day, etat = values.get("day"), values.get("etat")
        if day is None and etat is None:
            raise BadChangeError(
                'wants {"day": "2026-08-06"} or {"etat": "DOWN"}, of a "collection"'
            )
        for name in _COLLECTIONS if collection is None else (str(collection),):
            if day is not None:
                self._days[name] = _day(str(day))
            if etat is not None:
                self._etats[name] = str(etat)
        return self.informations()

    def play_mass_day(self, day: str) -> None:
        self._mass_day = day
        self._days = dict.fromkeys(_COLLECTIONS, day)

    def informations(self) -> dict[str, object]:
        return {
            "header": {"statut": 200, "message": "OK"},
            "etatService": "UP",
            "etatsDesServices": [
                {"Collection": name, "etatCollection": etat} for name, etat in self._etats.items()
            ],
            "versionService": _VERSION,
            "journalDesModifications": _JOURNAL,
            "datesDernieresMisesAJourDesDonnees": [
                {
                    "collection": name,
                    "dateDerniereMiseADisposition": f"{day}T07:20:4{rank}.000",
                    "dateDernierTraitementMaximum": last_treatment(day),
                    "dateDernierTraitementDeMasse": (
                        f"{self._mass_day}T23:59:59.999"
                        if day >= self._mass_day
                        else last_treatment(day)
                    ),
                }
                for rank, (name, day) in enumerate(self._days.items())
            ],
        }


def last_treatment(day: str) -> str:
    """Return the last moment of the day's file, a few minutes after midnight."""
    return f"{day}T00:05:52.648"


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise BadChangeError(f"no such day: {text}") from error
