"""The register over which people write pairs: 3 000 invented establishments that never change.

`python -m tests.benchmarks.pairs.fixed_register` draws it anew, and spoils all pairs.
"""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

from services.simulator.options import SimulatorOptions
from services.simulator.register.registers import GeneratedRegister
from services.simulator.register.stock_files import FILES, columns, row_of
from shared.sirene.reference import libelle_activite

FOLDER = Path(__file__).parent
FILE = FOLDER / "register.csv.gz"

ESTABLISHMENTS = 3_000
# Few départements, so that a city has names that resemble each other.
_OPTIONS = SimulatorOptions(
    establishments=6_000, seed=2026, departements=("29", "33", "35", "67", "974")
)

# INSEE's columns; what the stock files have beside them is empty, or the same in all rows.
_COLUMNS = (
    *("siret", "enseigne1Etablissement", "denominationUsuelleEtablissement"),
    *("denominationUniteLegale", "denominationUsuelle1UniteLegale", "sigleUniteLegale"),
    *("prenomUsuelUniteLegale", "nomUniteLegale", "nomUsageUniteLegale", "sexeUniteLegale"),
    *("numeroVoieEtablissement", "typeVoieEtablissement", "libelleVoieEtablissement"),
    *("codePostalEtablissement", "libelleCommuneEtablissement", "codeCommuneEtablissement"),
    *("activitePrincipaleEtablissement", "categorieJuridiqueUniteLegale"),
    *("etablissementSiege", "trancheEffectifsEtablissement", "dateCreationEtablissement"),
)
_LABEL = "libelleActivite"
_SAME: Mapping[str, str] = {
    "statutDiffusionEtablissement": "O",
    "statutDiffusionUniteLegale": "O",
    "etatAdministratifEtablissement": "A",
    "etatAdministratifUniteLegale": "A",
    "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
    "nomenclatureActivitePrincipaleUniteLegale": "NAFRev2",
    "dateDernierTraitementEtablissement": "2026-08-01T00:00:00.000",
    "dateDernierTraitementUniteLegale": "2026-08-01T00:00:00.000",
    "nombrePeriodesEtablissement": "1",
    "nombrePeriodesUniteLegale": "1",
}


@cache
def rows() -> Sequence[Mapping[str, str]]:
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_stock_of(folder: Path) -> list[str]:
    """Write the register as INSEE's two stock files; return their paths."""
    paths = []
    for collection, file in FILES.items():
        names = columns(file)
        made = [_stock_row(row, names) for row in rows()]
        if collection == "siren":
            made = list({row[0]: row for row in made}.values())
        path = folder / f"{file}_utf8.csv"
        with path.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines).writerows([names, *made])
        paths.append(str(path))
    return paths


def _stock_row(row: Mapping[str, str], names: Sequence[str]) -> list[str]:
    siret, created = row["siret"], row["dateCreationEtablissement"]
    known = {
        **_SAME,
        **row,
        "siren": siret[:9],
        "nic": siret[9:],
        "nicSiegeUniteLegale": siret[9:],
        "activitePrincipaleUniteLegale": row["activitePrincipaleEtablissement"],
        "prenom1UniteLegale": row["prenomUsuelUniteLegale"],
        "dateCreationUniteLegale": created,
        "dateDebut": created,
    }
    return [known.get(name, "") for name in names]


def _drawn() -> Iterator[list[str]]:
    """Draw open establishments that everybody may see, with an activity of today's nomenclature."""
    register = GeneratedRegister(_OPTIONS)
    for position in range(register.size("siret")):
        record = register.record("siret", position)
        found = dict(zip(_COLUMNS, row_of(record, _COLUMNS), strict=True))
        masked = "[ND]" in found.values()
        naf = found["activitePrincipaleEtablissement"]
        is_open, may_be_seen, label = (
            row_of(record, ["etatAdministratifEtablissement"]) == ["A"],
            row_of(record, ["statutDiffusionEtablissement", "statutDiffusionUniteLegale"])
            == ["O", "O"],
            libelle_activite(naf, "NAFRev2"),
        )
        if is_open and may_be_seen and not masked and label and found["codeCommuneEtablissement"]:
            yield [*found.values(), label]


def write() -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [[*_COLUMNS, _LABEL], *islice(_drawn(), ESTABLISHMENTS)]
    )
    FILE.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


if __name__ == "__main__":
    write()
