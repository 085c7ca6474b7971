from collections.abc import Callable

import pytest

from services.reviewer.french.data import formes_juridiques
from services.reviewer.french.legal_entity import entite, is_foreign, short_form
from shared.sirene.facts import Facts

FactsLike = Callable[..., Facts]


@pytest.mark.parametrize(
    ("code", "denomination", "de"),
    [
        ("7210", "COMMUNE DE CLAMART", "de la commune de Clamart"),
        ("7210", "VILLE DE CLAMART", "de la ville de Clamart"),
        ("7220", "DEPARTEMENT DU JURA", "du département du Jura"),
        ("6540", "SCI DU PORT", "de la SCI du Port"),
        ("6598", "EARL ANDRE", "de l’EARL André"),
        ("6533", "GAEC DU PRE", "du GAEC du Pré"),
        ("9220", "ASSOCIATION DU PRE", "de l’Association du Pré"),
        ("6540", "SOCIETE CIVILE IMMOBILIERE DU PRE", "de la Société civile immobilière du Pré"),
    ],
)
def test_a_name_that_says_its_form_takes_an_article(
    code: str, denomination: str, de: str, facts_like: FactsLike
) -> None:
    unit = entite(facts_like(categorie_juridique=code, denomination=denomination))
    assert (unit.de, unit.nommee, unit.says_form) == (de, True, True)


@pytest.mark.parametrize(
    ("code", "denomination", "de"),
    [
        ("5710", "SOCIETE ANA", "de la Société Ana"),
        ("7331", "COLLEGE VICTOR HUGO", "du collège Victor Hugo"),
        ("7361", "CENTRE TECHNIQUE", "du centre technique"),
        ("8310", "COMITE DES FETES", "du Comité des Fêtes"),
    ],
)
def test_a_name_may_take_an_article_and_leave_its_form_open(
    code: str, denomination: str, de: str, facts_like: FactsLike
) -> None:
    unit = entite(facts_like(categorie_juridique=code, denomination=denomination))
    assert (unit.de, unit.nommee, unit.says_form) == (de, True, False)


@pytest.mark.parametrize(
    ("code", "denomination", "le"),
    [
        ("5710", "LE BISTROT DE SOPHIE", "la SAS Le Bistrot de Sophie"),
        ("9220", "COMPAGNIE DU PRE", "l’association Compagnie du Pré"),
        ("9110", "81 CLOS", "le syndicat 81 Clos"),
        ("9300", "ANA", "la fondation Ana"),
        ("5599", "CHEZ ANA", "la société Chez Ana"),
        ("5710", "COLLEGE", "la SAS Collège"),
        ("7112", "ANA", "l’organisme Ana"),
        (None, "ANA", "l’organisme Ana"),
    ],
)
def test_a_name_that_takes_no_article_follows_a_noun(
    code: str | None, denomination: str, le: str, facts_like: FactsLike
) -> None:
    unit = entite(facts_like(categorie_juridique=code, denomination=denomination))
    assert (unit.le, unit.nommee) == (le, False)


_SORTS = {"5710": True, "6598": True, "9220": True, "1000": True, "7112": False}


def test_without_another_name_the_unit_bears_that_of_the_page(facts_like: FactsLike) -> None:
    facts = facts_like(nom="PAUL MONNIER", categorie_juridique="1000")
    assert entite(facts).le == "l’entreprise individuelle Paul Monnier"


def test_a_unit_that_was_named_is_taken_up_by_a_noun(facts_like: FactsLike) -> None:
    nouns = {
        code: (
            entite(facts_like(categorie_juridique=code)).noun.le,
            entite(facts_like(categorie_juridique=code)).noun.pronoun,
        )
        for code in ("5710", "6533", "7210", "9220", "1000", "7112")
    }
    assert nouns == {
        "5710": ("la société", "elle"),
        "6533": ("le groupement", "il"),
        "7210": ("la collectivité", "elle"),
        "9220": ("l’association", "elle"),
        "1000": ("l’entreprise", "elle"),
        "7112": ("l’organisme", "il"),
    }


def test_a_form_is_told_without_its_brackets_and_its_organs() -> None:
    forms = formes_juridiques()
    assert short_form(forms["5710"]) == "société par actions simplifiée"
    assert short_form(forms["5599"]) == "société anonyme"
    assert short_form(forms["3220"]) == "société étrangère"
    assert short_form(forms["5422"]).endswith("l’industrie (SICOMI)")


def test_a_unit_is_told_by_its_sort_where_its_form_has_one(facts_like: FactsLike) -> None:
    sorts = {code: entite(facts_like(categorie_juridique=code)).has_sort for code in _SORTS}
    assert sorts == _SORTS


def test_a_company_of_another_country_is_known_by_its_form(facts_like: FactsLike) -> None:
    assert is_foreign(facts_like(categorie_juridique="3220"))
    assert not is_foreign(facts_like())
