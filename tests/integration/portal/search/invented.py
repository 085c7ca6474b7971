"""A small invented register for searches: names, communes and coordinates that a test knows."""

import itertools
import random
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Engine, text

from shared.search.planes import places_on_the_ground
from tests.integration.writer.index_pages import index_pages

TRADES = {
    "BOULANGERIE": "10.71C",
    "GARAGE": "45.20A",
    "PHARMACIE": "47.73Z",
    "COIFFURE": "96.02A",
    "MENUISERIE": "43.32A",
    "RESTAURANT": "56.10A",
}
_BEGINNINGS = ["MAR", "BER", "DUR", "LEF", "CHE", "PEL", "GUI", "FON", "VAS", "CAR"]
_ENDINGS = ["TINIER", "NARDON", "ANDIER", "ERVREAU", "VALIN", "LETIER"]
SURNAMES = [first + last for first, last in itertools.product(_BEGINNINGS, _ENDINGS)]
# Code, name, département, region, postcode, latitude, longitude.
COMMUNES = (
    ("33063", "Bordeaux", "33", "75", "33000", 44.8378, -0.5792),
    ("33281", "Mérignac", "33", "75", "33700", 44.8424, -0.6447),
    ("64445", "Pau", "64", "75", "64000", 43.2951, -0.3708),
    ("75112", "Paris 12e Arrondissement", "75", "11", "75012", 48.8412, 2.3876),
    ("42218", "Saint-Étienne", "42", "84", "42000", 45.4347, 4.3903),
    ("97411", "Saint-Denis", "974", "04", "97400", -20.8789, 55.4481),
)


class Invented(NamedTuple):
    """An establishment: `unite` is the unit's own name where the sign says another one."""

    siret: str
    nom: str
    commune: tuple[str, str, str, str, str, float, float]
    activite: str
    unite: str | None = None
    tranche: str = "NN"
    etat: str = "A"
    statut: str = "O"
    created: str = "2020-01-01"
    metres_north: int = 0


def invent(number: int = 300, *, seed: int = 5) -> list[Invented]:
    """Invent this many establishments, each with a name and a commune of its own."""
    dice = random.Random(seed)
    every = list(itertools.product(TRADES, SURNAMES, COMMUNES))
    dice.shuffle(every)
    return [
        Invented(
            siret=f"{100_000_000 + at:09d}00001",
            nom=f"{trade} {surname}",
            commune=commune,
            activite=TRADES[trade],
            unite=f"SOCIETE {surname[::-1]}" if at % 3 == 0 else None,
            tranche=dice.choice(["NN", "01", "11", "21"]),
            created=f"{dice.randrange(1990, 2025)}-06-01",
            metres_north=dice.randrange(4000),
        )
        for at, (trade, surname, commune) in enumerate(every[:number])
    ]


_UNITE = text("""
    INSERT INTO unites_legales (siren, statut_diffusion, categorie_juridique, denomination,
      content_hash, fetched_at)
    VALUES (left(:siret, 9), :statut, '5499', :unite, '', now()) ON CONFLICT DO NOTHING
""")
_ETABLISSEMENT = text("""
    INSERT INTO etablissements (siret, siren, nic, statut_diffusion, etat_administratif, enseigne1,
      code_commune, libelle_commune, departement, region, code_postal, tranche_effectifs,
      activite_principale, date_creation, coordonnee_lambert_abscisse, coordonnee_lambert_ordonnee,
      content_hash, fetched_at)
    VALUES (:siret, left(:siret, 9), right(:siret, 5), :statut, :etat, :nom, :code, :commune,
      :departement, :region, :postcode, :tranche, :activite, CAST(:created AS date), :x, :y, '',
      now())
""")
_PAGE = text("""
    INSERT INTO pro_localisations (siret, siren, activite_principale, code_commune, slug, nom,
      libelle_commune, status)
    VALUES (:siret, left(:siret, 9), :activite, :code, :siret,
      CASE :statut WHEN 'O' THEN :nom END, :commune,
      CASE :etat WHEN 'A' THEN 'open' ELSE 'closed' END)
""")


def store(engine: Engine, invented: Sequence[Invented]) -> None:
    """Write them into the register, with their pages, and index these."""
    with engine.begin() as connection:
        for each in invented:
            code, commune, departement, region, postcode, latitude, longitude = each.commune
            [(x, y)] = places_on_the_ground(latitude, longitude)
            row = each._asdict() | {
                "unite": each.unite or each.nom,
                "code": code,
                "commune": commune,
                "departement": departement,
                "region": region,
                "postcode": postcode,
                "x": x % 10_000_000,
                "y": y + each.metres_north,
            }
            for statement in (_UNITE, _ETABLISSEMENT, _PAGE):
                connection.execute(statement, row)
    index_pages([engine])
