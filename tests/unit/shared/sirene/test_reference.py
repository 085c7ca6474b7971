import pytest

from shared.sirene.reference import libelle_activite, libelle_categorie_juridique

PLUMBING = "Travaux d'installation d'eau et de gaz en tous locaux"


@pytest.mark.parametrize(
    ("code", "nomenclature", "libelle"),
    [
        *(
            ("43.22G", name, PLUMBING)
            for name in ("NAF2025", "NAF25", "NAFRev3", "Naf2025", "NAFRev2", None)
        ),
        ("43.22A", "NAF2025", PLUMBING),
        ("4322G", "NAF2025", PLUMBING),
        ("70.10Z", "NAF2025", "Activités des sièges sociaux"),
        ("22.2E", "NAFRev1", "Reliure"),
        ("22.2E", "NAF1993", "Reliure et finition"),
        ("22.2E", "NAF93", "Reliure"),
        ("43.22", "NAF2025", None),
        ("99.99A", "NAF2025", None),
        ("", None, None),
        (None, "NAF2025", None),
    ],
)
def test_the_code_tells_the_label_whatever_its_nomenclature_is_called(
    code: str | None, nomenclature: str | None, libelle: str | None
) -> None:
    assert libelle_activite(code, nomenclature) == libelle


@pytest.mark.parametrize("code", ["0000", "2800", "5310"])
def test_the_legal_forms_of_the_last_years_have_a_label(code: str) -> None:
    assert libelle_categorie_juridique(code) is not None
