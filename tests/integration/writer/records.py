"""Records of INSEE's present shape to write into the register."""

import copy
import json
from pathlib import Path
from typing import Any

from shared.sirene.reference import libelle_commune

Record = dict[str, Any]
_RECORDED = Path(__file__).parents[2] / "fixtures" / "insee"


class Records:
    """Records of the present shape, made from a recorded one."""

    def __init__(self) -> None:
        lines = (_RECORDED / "etablissements.jsonl").read_text(encoding="utf-8").splitlines()
        self.recorded: list[Record] = [json.loads(line) for line in lines]
        self._model = next(r for r in self.recorded if r["siret"] == "30613890002979")

    def record(
        self,
        number: int = 1,
        *,
        siren: str | None = None,
        enseigne: str | None = None,
        treated: str | None = "2026-01-01T00:00:00",
        etat: str = "A",
        commune: str | None = "33063",
        activite: str | None = "10.71C",
        statut: str = "O",
        unite: Record | None = None,
    ) -> Record:
        record = copy.deepcopy(self._model)
        siren = siren or f"{number:09d}"
        record |= {
            "siren": siren,
            "nic": f"{number % 100_000:05d}",
            "siret": f"{siren}{number % 100_000:05d}",
            "statutDiffusionEtablissement": statut,
            "dateDernierTraitementEtablissement": treated,
        }
        record["uniteLegale"] |= {
            "statutDiffusionUniteLegale": "O",
            "categorieJuridiqueUniteLegale": "5499",
            "denominationUniteLegale": f"ATELIER {siren}",
            "denominationUsuelle1UniteLegale": None,
            "sigleUniteLegale": None,
            "dateDernierTraitementUniteLegale": treated,
            **(unite or {}),
        }
        record["adresseEtablissement"] |= {
            "codeCommuneEtablissement": commune,
            "libelleCommuneEtablissement": (libelle_commune(commune) or "").upper() or None,
        }
        record["periodesEtablissement"] = [
            record["periodesEtablissement"][0]
            | {
                "dateFin": None,
                "etatAdministratifEtablissement": etat,
                "activitePrincipaleEtablissement": activite,
                "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
                "enseigne1Etablissement": enseigne,
                "denominationUsuelleEtablissement": None,
            }
        ]
        return record


def close_ahead(record: Record) -> None:
    """Let the establishment close on the first day of 2027, which lies ahead of its fetch."""
    [current, *_] = record["periodesEtablissement"]
    closing = {"dateDebut": "2027-01-01", "etatAdministratifEtablissement": "F"}
    record["periodesEtablissement"].insert(0, current | closing)
    current["dateFin"] = "2026-12-31"
