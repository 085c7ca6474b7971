"""The answer of `/informations`: what is up, and how fresh each collection is."""

from services.simulator.dates import MASS_DAY, Calendar

_COLLECTIONS = ("Unités Légales", "Établissements", "Liens de succession")
_VERSION = "3.11.95"
_JOURNAL = "https://portail-api.insee.fr/catalog/api/2ba0e549-5587-3ef1-9082-99cd865de66f/doc"


def informations(calendar: Calendar) -> dict[str, object]:
    day = calendar.day
    last = calendar.last_treatment()
    mass = f"{MASS_DAY}T23:59:59.999" if day >= MASS_DAY else last
    return {
        "header": {"statut": 200, "message": "OK"},
        "etatService": "UP",
        "etatsDesServices": [{"Collection": name, "etatCollection": "UP"} for name in _COLLECTIONS],
        "versionService": _VERSION,
        "journalDesModifications": _JOURNAL,
        "datesDernieresMisesAJourDesDonnees": [
            {
                "collection": name,
                "dateDerniereMiseADisposition": f"{day}T07:20:4{rank}.000",
                "dateDernierTraitementMaximum": last,
                "dateDernierTraitementDeMasse": mass,
            }
            for rank, name in enumerate(_COLLECTIONS)
        ],
    }
