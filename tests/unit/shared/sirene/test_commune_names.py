import datetime as dt
from dataclasses import replace

import pytest

from shared.sirene.commune_names import commune_name, is_same_commune
from shared.sirene.pages import facts_of, page_of
from shared.sirene.records import Etablissement, UniteLegale
from shared.sirene.reference import COG_YEAR, communes

_ETABLISSEMENT = Etablissement(
    siret="92000001500010",
    siren="920000015",
    nic="00010",
    statut_diffusion="O",
    etat_administratif="A",
    activite_principale="10.71C",
    code_commune="97411",
    libelle_commune="ST DENIS",
    date_dernier_traitement=dt.datetime(COG_YEAR + 2, 1, 1, 0, 8),  # noqa: DTZ001  as INSEE's own
)
_UNITE = UniteLegale(siren="920000015", statut_diffusion="O", denomination="ESSAI")


@pytest.mark.parametrize(
    ("sent", "official"),
    [
        ("LE MANS", "Le Mans"),
        ("L HAY LES ROSES", "L'Haÿ-les-Roses"),
        ("L’HAY-LES-ROSES", "L'Haÿ-les-Roses"),
        ("ST DENIS", "Saint-Denis"),
        ("STE MAXIME", "Sainte-Maxime"),
        ("SCHOELCHER", "Schœlcher"),
        ("PARIS", "Paris 7e Arrondissement"),
        ("PARIS 7", "Paris 7e Arrondissement"),
        ("PARIS 07", "Paris 7e Arrondissement"),
        ("LYON 1ER", "Lyon 1er Arrondissement"),
        ("MARSEILLE 8EME ARRONDISSEMENT", "Marseille 8e Arrondissement"),
        ("BORS", "Bors (Canton de Charente-Sud)"),
        ("BORS(CANTON DE CHARENTE-SUD)", "Bors (Canton de Charente-Sud)"),
    ],
)
def test_one_name_is_written_in_many_ways(sent: str, official: str) -> None:
    assert official in {commune.nom for commune in communes().values()} | {"Schœlcher"}
    assert is_same_commune(sent, official)


@pytest.mark.parametrize(
    ("sent", "official"),
    [
        ("CHALONS-SUR-MARNE", "Châlons-en-Champagne"),
        ("SAINT-DENIS-EN-VAL", "Saint-Denis"),
        ("PARIS PLAGE", "Paris 7e Arrondissement"),
    ],
)
def test_another_name_is_another_name(sent: str, official: str) -> None:
    assert not is_same_commune(sent, official)


@pytest.mark.parametrize(
    ("code", "sent", "year", "name"),
    [
        ("97411", "ST DENIS", COG_YEAR + 2, "Saint-Denis"),
        # The name changed after the table: INSEE's record has it first.
        ("97411", "DENIS-LA-NEUVE", COG_YEAR + 2, "DENIS-LA-NEUVE"),
        # The record is older than the table: it has the name of before.
        ("97411", "DENIS-LA-VIEILLE", COG_YEAR, "Saint-Denis"),
        ("97411", "DENIS-LA-VIEILLE", None, "Saint-Denis"),
        ("97411", None, COG_YEAR + 2, "Saint-Denis"),
        ("97999", "NOUVELLE-COMMUNE", COG_YEAR, "NOUVELLE-COMMUNE"),
        ("97999", None, COG_YEAR, None),
    ],
)
def test_the_record_names_a_commune_that_is_newer_than_the_table(
    code: str, sent: str | None, year: int | None, name: str | None
) -> None:
    assert commune_name(code, sent, year) == name


def test_a_renamed_commune_is_in_page_and_facts() -> None:
    renamed = replace(_ETABLISSEMENT, libelle_commune="DENIS-LA-NEUVE")
    for etablissement, name, slug in (
        (_ETABLISSEMENT, "Saint-Denis", "essai-saint-denis-92000001500010"),
        (renamed, "DENIS-LA-NEUVE", "essai-denis-la-neuve-92000001500010"),
    ):
        page = page_of(etablissement, _UNITE)
        assert page is not None
        assert (page.libelle_commune, page.slug) == (name, slug)
        assert facts_of(etablissement, _UNITE, page).commune == name
