import pytest

from services.reviewer.french.labels import clean_name, nom_de_commune
from shared.sirene.facts import Facts


@pytest.mark.parametrize(
    ("code", "label", "expected"),
    [
        ("72181", "LE MANS", "Le Mans"),
        ("75107", "PARIS", "Paris 7e Arrondissement"),
        ("72181", None, "Le Mans"),
        ("72181", "LE MANS-SUR-SARTHE", "Le Mans-sur-Sarthe"),
        (None, "LE MANS", "Le Mans"),
        (None, "SAINT-ETIENNE", "Saint-Étienne"),
        (None, "ST ETIENNE DU ROUVRAY", "Saint-Étienne-du-Rouvray"),
        (None, "L'HAY-LES-ROSES", "L'Haÿ-les-Roses"),
        (None, "VILLE-INCONNUE-SUR-L'EAU", "Ville-Inconnue-sur-l'Eau"),
        (None, "Ville-Inconnue", "Ville-Inconnue"),
        ("99999", "LONDRES", "Londres"),
        (None, None, None),
        (None, " \x00", None),
    ],
)
def test_a_commune_has_its_official_spelling(
    code: str | None, label: str | None, expected: str | None
) -> None:
    facts = Facts(siret="", siren="", nom="X", code_commune=code, commune=label)
    assert nom_de_commune(facts) == expected


@pytest.mark.parametrize(
    ("nom", "cleaned"),
    [
        ("  GARAGE\r\n DU\tPORT ", "GARAGE DU PORT"),
        ("GARAGE\u202e DU\u200b PORT\ufeff", "GARAGE DU PORT"),
        ("E\u0301LISE", "ÉLISE"),
        ("LE <b>BON</b> & CO 🍕", "LE <b>BON</b> & CO 🍕"),
        ("\ud800X", "X"),
        ("", ""),
    ],
)
def test_a_name_loses_what_nobody_can_see_and_nothing_else(nom: str, cleaned: str) -> None:
    assert clean_name(nom) == cleaned
