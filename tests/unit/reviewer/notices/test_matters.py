"""The matters that a text of the template tells: true to its facts, and each of them once."""

import datetime as dt
import re

import pytest

from services.reviewer.notices.template import generate
from shared.sirene.context import Context, Sites
from shared.sirene.facts import Facts
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.notices.wordings import MONTH, RICH, texts_of
from tests.unit.reviewer.samples import assert_publishable


def test_only_known_facts_are_told(facts_like: FactsLike) -> None:
    bare = Facts(siret="", siren="", nom="GARAGE DU PORT")
    for text in texts_of(bare, 20):
        assert "Garage du Port" in text
        assert not re.search(r"None|\d|salarié|activité|\{", text)
    assert not any("salarié" in text for text in texts_of(facts_like(tranche_effectifs="NN")))


def test_a_headcount_is_told_with_its_year_and_not_when_it_is_old(facts_like: FactsLike) -> None:
    for year in (2023, 2024):
        told = [text for text in texts_of(facts_like(annee_effectifs=year)) if "salari" in text]
        assert told
        assert all(re.search(rf"(?i)fin (?:de )?{year}", text) for text in told)
    old = (*texts_of(facts_like(annee_effectifs=2022)), *texts_of(facts_like(annee_effectifs=None)))
    assert not any("salari" in text for text in old)
    assert "salari" in generate(facts_like(annee_effectifs=2022, voie=None), 2025).text


def test_a_number_s_date_is_not_an_age_and_stands_beside_the_unit_s(facts_like: FactsLike) -> None:
    facts = facts_like(unite_date_creation=dt.date(1998, 5, 4))
    texts = texts_of(facts, 200)
    with_number = [text for text in texts if "1er mars 2011" in text]
    assert with_number
    assert all("1998" in text for text in with_number)
    assert all(re.search("ce numéro|numéro SIRET actuel", text) for text in with_number)
    assert not any(re.search(r"\bans\b|existe|remonte", text) for text in texts)


def test_a_count_has_its_month_and_says_what_is_counted(facts_like: FactsLike) -> None:
    texts = [text for text in texts_of(facts_like(**RICH)) if "14 établissements" in text]
    assert texts
    for text in texts:
        assert "novembre 2026" in text
        assert re.search("entreprises individuelles|entrepreneurs individuels", text)
        assert re.search(
            "unités (?:non diffusées|partiellement diffusées|à diffusion partielle)", text
        )


def test_a_company_of_another_country_has_no_siege_here(facts_like: FactsLike) -> None:
    texts = texts_of(facts_like(categorie_juridique="3220"))
    assert not any("siège" in text for text in texts)
    assert any("société étrangère" in text for text in texts)


def test_the_headcounts_of_one_year_are_told_in_one_sentence(facts_like: FactsLike) -> None:
    both = facts_like(**RICH, annee_effectifs=2024)
    told = [text for text in texts_of(both, 100) if "10 à 19" in text]
    assert told
    total = "salariés(?: fin 2024)?, et (?:de )?10 à 19 dans l’ensemble de la société"
    assert all(re.search(f"un ou deux {total}", text) for text in told)
    earlier = facts_like(**RICH, annee_effectifs=2023)
    assert not any(re.search(total, text) for text in texts_of(earlier, 100))


@pytest.mark.parametrize(
    "activity",
    [
        "Activités juridiques",
        "Activités vétérinaires",
        "Autres activités récréatives et de loisirs",
    ],
)
def test_an_activity_is_not_said_twice(activity: str, facts_like: FactsLike) -> None:
    sparse = facts_like(activite=activity, voie=None, annee_effectifs=None)
    for text in (*texts_of(facts_like(activite=activity, **RICH)), *texts_of(sparse)):
        assert re.search(r"(?i)activité[^.]* activités", text) is None, text


def test_an_activity_that_the_opening_tells_has_no_sentence_of_its_own(
    facts_like: FactsLike,
) -> None:
    texts = texts_of(facts_like(**RICH), 200)
    told = [text for text in texts if re.match(r"[^.]* a pour activité", text)]
    assert told
    for text in (*texts, *texts_of(facts_like())):
        assert len(re.findall("véhicules automobiles légers", text)) == 1, text


@pytest.mark.parametrize(
    ("form", "unit"), [("5710", "Cotentin Distribution"), ("9220", "Les Abeilles")]
)
def test_what_the_unit_is_has_its_own_name_where_the_establishment_has_another(
    form: str, unit: str, facts_like: FactsLike
) -> None:
    facts = facts_like(
        denomination=unit.upper(),
        categorie_juridique=form,
        economie_sociale_solidaire=form == "9220",
        societe_mission=form == "5710",
    )
    quality = "société à mission" if form == "5710" else "l’économie sociale et solidaire"
    texts = [text for text in texts_of(facts) if quality in text]
    assert len(texts) > 30
    assert any(re.search(rf"{unit} (?:a|relève|appartient)", text) for text in texts)
    for seed in map(str, range(60)):
        assert_publishable(facts, variant_seed=seed)


def test_no_public_body_and_no_foreign_company_is_told_a_day_of_creation(
    facts_like: FactsLike,
) -> None:
    for form in ("7210", "4150", "3120"):
        facts = facts_like(categorie_juridique=form, unite_date_creation=dt.date(1983, 3, 1))
        assert not any("1983" in text for text in texts_of(facts))


def test_the_sites_of_one_commune_are_all_in_the_same(facts_like: FactsLike) -> None:
    for count, told in ((2, "toutes? deux|tous deux"), (5, "toutes|tous")):
        sites = Sites(open=count, closed=0, communes=1, month=MONTH)
        texts = texts_of(facts_like(context=Context(sites=sites)))
        with_sites = [text for text in texts if "dans" in text]
        assert with_sites
        assert all(
            re.search(f", (?:{told}) dans (?:la même|une seule) commune", each)
            for each in with_sites
        )
