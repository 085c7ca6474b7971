from collections.abc import Callable

import pytest

from services.reviewer.french.legal_entity import entite
from shared.sirene.facts import Facts

FactsLike = Callable[..., Facts]


@pytest.mark.parametrize(
    ("code", "denomination", "de", "a"),
    [
        ("7210", "COMMUNE DE CLAMART", "de la COMMUNE DE CLAMART", "à la COMMUNE DE CLAMART"),
        ("7210", "VILLE DE CLAMART", "de la VILLE DE CLAMART", "à la VILLE DE CLAMART"),
        ("7220", "DEPARTEMENT DU JURA", "du DEPARTEMENT DU JURA", "au DEPARTEMENT DU JURA"),
        ("6540", "SCI DU PORT", "de la SCI DU PORT", "à la SCI DU PORT"),
        ("6540", "S.C.I. DU PORT", "de la S.C.I. DU PORT", "à la S.C.I. DU PORT"),
        ("6598", "EARL ANDRE", "de l’EARL ANDRE", "à l’EARL ANDRE"),
        ("6533", "GAEC DU PRE", "du GAEC DU PRE", "au GAEC DU PRE"),
        (
            "9220",
            "ASSOCIATION DU PRE",
            "de l’ASSOCIATION DU PRE",
            "à l’ASSOCIATION DU PRE",
        ),
        (
            "6540",
            "SOCIETE CIVILE IMMOBILIERE DU PRE",
            "de la SOCIETE CIVILE IMMOBILIERE DU PRE",
            "à la SOCIETE CIVILE IMMOBILIERE DU PRE",
        ),
    ],
)
def test_a_name_that_says_its_form_takes_an_article_and_no_form(
    code: str, denomination: str, de: str, a: str, facts_like: FactsLike
) -> None:
    unit = entite(facts_like(categorie_juridique=code, denomination=denomination))
    assert (unit.de, unit.a, unit.precision, unit.nommee) == (de, a, "", True)


@pytest.mark.parametrize(
    ("code", "denomination", "de", "precision"),
    [
        ("5710", "SOCIETE ANA", "de la SOCIETE ANA", ", société par actions simplifiée (SAS)"),
        (
            "7331",
            "COLLEGE VICTOR HUGO",
            "du COLLEGE VICTOR HUGO",
            ", établissement public local d’enseignement",
        ),
        (
            "7361",
            "CENTRE TECHNIQUE",
            "du CENTRE TECHNIQUE",
            ", centre communal d’action sociale (CCAS)",
        ),
        ("8310", "COMITE DES FETES", "du COMITE DES FETES", ", comité central d’entreprise"),
        (
            "5498",
            "CHEZ ANA",
            "de l’entité CHEZ ANA",
            ", société à responsabilité limitée unipersonnelle",
        ),
        (
            "5599",
            "SA MAISON",
            "de l’entité SA MAISON",
            ", société anonyme à conseil d’administration",
        ),
    ],
)
def test_a_name_that_leaves_its_form_open_is_followed_by_it(
    code: str, denomination: str, de: str, precision: str, facts_like: FactsLike
) -> None:
    unit = entite(facts_like(categorie_juridique=code, denomination=denomination))
    assert (unit.de, unit.precision) == (de, precision)


@pytest.mark.parametrize(
    ("code", "denomination", "le"),
    [
        (
            "5710",
            "LE BISTROT DE SOPHIE",
            "la société par actions simplifiée (SAS) LE BISTROT DE SOPHIE",
        ),
        ("9220", "COMPAGNIE DU PRE", "l’association déclarée COMPAGNIE DU PRE"),
        ("9110", "81 CLOS", "le syndicat de copropriété 81 CLOS"),
        ("9300", "ANA", "la fondation ANA"),
        ("5710", "COLLEGE", "la société par actions simplifiée (SAS) COLLEGE"),
        (None, "ANA", "l’entité ANA"),
    ],
)
def test_a_name_that_takes_no_article_follows_its_form(
    code: str | None, denomination: str, le: str, facts_like: FactsLike
) -> None:
    unit = entite(facts_like(categorie_juridique=code, denomination=denomination))
    assert (unit.le, unit.precision, unit.nommee) == (le, "", False)


def test_without_another_name_the_unit_bears_that_of_the_page(facts_like: FactsLike) -> None:
    facts = facts_like(nom="PAUL MONNIER", categorie_juridique="1000")
    assert entite(facts).le == "l’entreprise individuelle PAUL MONNIER"
