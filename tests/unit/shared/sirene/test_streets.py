"""Number and street are written as a reader writes them, and only what is sure has accents."""

import pytest

from shared.sirene.streets import street_of


@pytest.mark.parametrize(
    ("registered", "written"),
    [
        (("12", "B", "RUE", "DES TILLEULS"), "12 bis rue des Tilleuls"),
        (("12", "BIS", "RUE", "DES TILLEULS"), "12 bis rue des Tilleuls"),
        (("7", "A", "AV", "DE L EGLISE"), "7 A avenue de l'Église"),
        (("1", None, "AVENUE", "JEAN JAURES"), "1 avenue Jean Jaurès"),
        ((None, None, "ALL", "D ARTOIS"), "allée d'Artois"),
        ((None, None, "ALLEE", "D'ARTOIS"), "allée d'Artois"),
        (("3", None, "PL", "DU 8 MAI 1945"), "3 place du 8 mai 1945"),
        (("0", None, "ZI", "DE LA GARE"), "zone industrielle de la Gare"),
        ((None, None, "RPT", "DES ECOLES"), "rond-point des Écoles"),
        (("4", None, None, "GRANDE RUE"), "4 Grande Rue"),
        ((None, None, None, "LE BOURG"), "Le Bourg"),
        (("5", None, "RUE", "DE KERVEGUEN"), "5 rue de KERVEGUEN"),
        (("5", None, "RUE", "Lemaître"), "5 rue Lemaître"),
    ],
)
def test_a_street_is_written_in_full(
    registered: tuple[str | None, str | None, str | None, str | None], written: str
) -> None:
    assert street_of(*registered) == written


def test_without_a_street_or_with_an_unknown_type_nothing_is_written() -> None:
    assert street_of("12", None, "RUE", None) is None
    assert street_of("12", None, "RUE", "[ND]") is None
    assert street_of("12", None, "XYZ", "DES TILLEULS") is None
