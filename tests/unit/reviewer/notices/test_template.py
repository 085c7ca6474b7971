"""The wording of a notice: true to its facts, varied, and in good French."""

import dataclasses
import datetime as dt
import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from itertools import product

import pytest

from services.reviewer.french.clauses import clause
from services.reviewer.french.data import formes_juridiques
from services.reviewer.notices.template import generate
from services.reviewer.validation import validate
from shared.sirene.context import Context, Sites, Trade
from shared.sirene.facts import Facts
from shared.sirene.reference import communes, departement_of, libelles_d_activite
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.samples import ARTICLES, TRANCHES, YEAR, assert_publishable

_MONTH = dt.date(2026, 11, 1)
_RICH = {
    "unite_date_creation": dt.date(1998, 5, 4),
    "unite_tranche_effectifs": "11",
    "unite_annee_effectifs": 2024,
    "categorie_entreprise": "ETI",
    "annee_categorie_entreprise": 2023,
    "context": Context(
        trade=Trade(etablissements=14, with_employees=9, month=_MONTH),
        sites=Sites(open=3, closed=2, communes=2, month=_MONTH),
    ),
}


def _texts(facts: Facts, count: int = 60) -> list[str]:
    seeds = map(str, range(count))
    return [generate(facts, YEAR, variant_seed=seed).text.replace("\u00a0", " ") for seed in seeds]


def test_the_same_facts_seed_and_year_always_give_the_same_text(facts_like: FactsLike) -> None:
    assert generate(facts_like(), YEAR) == generate(facts_like(), YEAR)
    first = generate(facts_like(**_RICH), YEAR, variant_seed="7")
    assert first == generate(facts_like(**_RICH, siret="99999999900017"), YEAR, variant_seed="7")


def test_neighbours_of_one_trade_differ_in_matter(facts_like: FactsLike) -> None:
    texts = _texts(facts_like(**_RICH), 200)
    assert len(set(texts)) > 190
    told = {
        tuple(
            re.search(words, text) is not None
            for words in (r"2024", r"pour cette|de cette|ont cette", r"ouvert", r"1998", r"ETI")
        )
        for text in texts
    }
    assert len(told) > 5


def test_a_text_has_between_one_and_six_sentences(facts_like: FactsLike) -> None:
    for text in (*_texts(facts_like(**_RICH)), *_texts(facts_like()), *_texts(_poor(facts_like))):
        sentences = re.findall(r"\.(?= [A-ZÀÉÎ«]|$)", text)
        assert 1 <= len(sentences) <= 6, text
        assert len(text.split()) <= 130


def _poor(facts_like: FactsLike) -> Facts:
    return facts_like(voie=None, tranche_effectifs="NN", annee_effectifs=None)


def test_a_page_with_nothing_to_add_gets_one_short_line(facts_like: FactsLike) -> None:
    texts = _texts(_poor(facts_like))
    assert (
        "Garage du Port, à Vannes (Morbihan) : entretien et réparation de véhicules automobiles "
        "légers, sous ce numéro depuis mars 2011."
    ) in texts
    assert max(len(text.split()) for text in texts) < 30


def test_one_fact_more_is_told_in_the_short_line(facts_like: FactsLike) -> None:
    address = facts_like(tranche_effectifs="NN", annee_effectifs=None)
    assert all("12 rue des Tilleuls" in text for text in _texts(address))
    band = facts_like(voie=None)
    assert all("un ou deux salariés fin 2024" in text for text in _texts(band))


def test_two_facts_more_make_a_text(facts_like: FactsLike) -> None:
    for text in _texts(facts_like()):
        assert re.search(r"\. |, a pour activité", text), text
        assert "sous ce numéro depuis mars 2011" not in text


def test_a_text_says_how_it_was_made(facts_like: FactsLike) -> None:
    generated = generate(facts_like(), YEAR)
    assert generated.model == "template"
    assert generated.prompt_version == "template-5"
    assert generated.digital_source_type == "algorithmicMedia"


def test_only_known_facts_are_told(facts_like: FactsLike) -> None:
    bare = Facts(siret="", siren="", nom="GARAGE DU PORT")
    for text in _texts(bare, 20):
        assert "Garage du Port" in text
        assert not re.search(r"None|\d|salarié|activité|\{", text)
    assert not any("salarié" in text for text in _texts(facts_like(tranche_effectifs="NN")))


def test_a_headcount_is_told_with_its_year_and_not_when_it_is_old(facts_like: FactsLike) -> None:
    for year in (2023, 2024):
        told = [text for text in _texts(facts_like(annee_effectifs=year)) if "salari" in text]
        assert told
        assert all(re.search(rf"(?i)fin (?:de )?{year}", text) for text in told)
    old = (*_texts(facts_like(annee_effectifs=2022)), *_texts(facts_like(annee_effectifs=None)))
    assert not any("salari" in text for text in old)
    assert "salari" in generate(facts_like(annee_effectifs=2022, voie=None), 2025).text


def test_a_number_s_date_is_not_an_age_and_stands_beside_the_unit_s(facts_like: FactsLike) -> None:
    facts = facts_like(unite_date_creation=dt.date(1998, 5, 4))
    texts = _texts(facts, 200)
    with_number = [text for text in texts if "1er mars 2011" in text]
    assert with_number
    assert all("1998" in text for text in with_number)
    assert all(re.search("ce numéro|numéro SIRET actuel", text) for text in with_number)
    assert not any(re.search(r"\bans\b|existe|remonte", text) for text in texts)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, "à Vannes (Morbihan)"),
        (
            {"commune": "SAINT-DENIS", "code_commune": "93066", "departement": "93"},
            "à Saint-Denis (Seine-Saint-Denis)",
        ),
        (
            {"commune": "SAINT-DENIS", "code_commune": "97411", "departement": "974"},
            "à Saint-Denis (La Réunion)",
        ),
        (
            {"commune": "PARIS 7", "code_commune": "75107", "departement": "75"},
            "à Paris (7e arrondissement)",
        ),
        (
            {"commune": "MARSEILLE 1", "code_commune": "13201", "departement": "13"},
            "à Marseille (1er arrondissement, Bouches-du-Rhône)",
        ),
        ({"commune": "LE MANS", "code_commune": "72181", "departement": "72"}, "au Mans (Sarthe)"),
        (
            {"commune": "LES HERBIERS", "code_commune": "85109", "departement": "85"},
            "aux Herbiers (Vendée)",
        ),
    ],
)
def test_a_commune_is_told_with_its_article_and_its_departement(
    changes: dict[str, str], place: str, facts_like: FactsLike
) -> None:
    for facts in (facts_like(**changes), facts_like(**changes, **_RICH)):
        for text in _texts(facts):
            assert place in text or place[0].upper() + place[1:] in text, text


def test_a_count_has_its_month_and_says_what_is_counted(facts_like: FactsLike) -> None:
    texts = [text for text in _texts(facts_like(**_RICH)) if "14 établissements" in text]
    assert texts
    for text in texts:
        assert "novembre 2026" in text
        assert re.search("entreprises individuelles|entrepreneurs individuels", text)
        assert re.search(
            "unités (?:non diffusées|partiellement diffusées|à diffusion partielle)", text
        )


def test_an_establishment_is_called_so_at_most_twice(facts_like: FactsLike) -> None:
    for siege in (True, False):
        for text in _texts(facts_like(**_RICH, est_siege=siege), 200):
            assert len(re.findall(r"(?i)établissement", text)) <= 2, text


def test_a_company_of_another_country_has_no_siege_here(facts_like: FactsLike) -> None:
    texts = _texts(facts_like(categorie_juridique="3220"))
    assert not any("siège" in text for text in texts)
    assert any("société étrangère" in text for text in texts)


def test_what_a_clerk_would_write_is_written_nowhere(facts_like: FactsLike) -> None:
    clerk = r"la suivante|le suivant|existe depuis|remonte|sur place|dépend de|renseignements"
    texts = (*_texts(facts_like(**_RICH), 200), *_texts(facts_like(), 100))
    assert not any(re.search(clerk, text) for text in texts)


def test_agreement_follows_the_gender_of_the_legal_form(facts_like: FactsLike) -> None:
    def texts(code: str) -> str:
        created = dt.date(1998, 5, 4)
        facts = facts_like(categorie_juridique=code, est_siege=False, unite_date_creation=created)
        return "\n".join(_texts(facts))

    company, group = texts("5710"), texts("6533")
    assert "une société par actions simplifiée créée en 1998, présente à Vannes" in company
    assert "groupement agricole d’exploitation en commun créé en 1998" in group
    assert "un société" not in company
    assert "une groupement" not in group


def test_changed_facts_change_nothing_but_themselves(facts_like: FactsLike) -> None:
    before = generate(facts_like(), YEAR).text
    after = generate(dataclasses.replace(facts_like(), nom="GARAGE DU LAC"), YEAR).text
    assert before.replace("Garage du Port", "Garage du Lac") == after


_BAD_FRENCH = re.compile(
    r"(?i)\b(?:de|le|la|que|ne|se) (?=[aeéèêiouœ]\w)|\bà les? |\bde les? |  | [.,]|,,|,\."
    r"|\bd’(?![aeiouyhàâéèêîôœ])|\bune? une?\b|\b(\w+) \1\b|\{|\}"
)


def test_no_text_misses_an_elision_or_a_contraction(facts_like: FactsLike) -> None:
    chosen = random.Random(9)
    places = sorted(communes())
    activities = sorted(label for label in libelles_d_activite() if "..." not in label)
    forms = sorted(formes_juridiques())
    for number, activity in enumerate(activities):
        place = chosen.choice(places)
        facts = facts_like(
            **(_RICH if number % 2 else {}),
            siret=f"{number:014d}",
            activite=activity,
            categorie_juridique=chosen.choice(forms),
            code_commune=place,
            departement=departement_of(place),
            tranche_effectifs=chosen.choice(TRANCHES),
        )
        text = generate(facts, YEAR).text.replace(clause(facts) or "\0", "…")
        assert _BAD_FRENCH.search(text) is None, text


def _walk(facts_like: FactsLike, tranches: Sequence[str | None]) -> Iterator[Facts]:
    for form, commune, tranche in product(sorted(formes_juridiques()), ARTICLES, tranches):
        seed = f"{form} {commune} {tranche}".encode()
        yield facts_like(
            **(_RICH if seed[-1] % 3 else {}),
            siret=f"{int.from_bytes(hashlib.sha256(seed).digest()[:6]) % 10**14:014d}",
            categorie_juridique=form,
            commune=commune,
            code_commune=None,
            departement=None,
            tranche_effectifs=tranche,
            est_siege=seed[-1] % 2 == 0,
        )


def test_the_french_is_right_for_every_legal_form_in_every_kind_of_commune(
    facts_like: FactsLike,
) -> None:
    for facts in _walk(facts_like, ("01",)):
        text = generate(facts, YEAR).text
        assert _BAD_FRENCH.search(text) is None, text


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_legal_form_headcount_and_kind_of_commune_passes(facts_like: FactsLike) -> None:
    for facts in _walk(facts_like, TRANCHES):
        text = generate(facts, YEAR).text
        assert _BAD_FRENCH.search(text) is None, text
        assert validate(text, facts).accepted, text


def test_the_register_is_named_in_full_where_it_is_first_spoken_of(facts_like: FactsLike) -> None:
    for text in _texts(facts_like(**_RICH), 200):
        assert re.match(r"(?:(?!répertoire\b).)*(?:répertoire Sirene|$)", text), text


def test_y_and_son_follow_the_opening_only(facts_like: FactsLike) -> None:
    for facts in (facts_like(**_RICH), facts_like(**_RICH, est_siege=False)):
        for text in _texts(facts, 200):
            _, _, *later = re.split(r"(?<=\.) ", text)
            told = re.search(r"\b(?:y (?!compris)|Son )", " ".join(later))
            assert told is None, text


def test_no_sentence_begins_with_the_date_that_ends_the_one_before(facts_like: FactsLike) -> None:
    for text in _texts(facts_like(**_RICH), 200):
        assert re.search(r"(?i)\b(fin \d+)\. (?:à la )?\1", text) is None, text


def test_the_headcounts_of_one_year_are_told_in_one_sentence(facts_like: FactsLike) -> None:
    both = facts_like(**_RICH, annee_effectifs=2024)
    told = [text for text in _texts(both, 100) if "10 à 19" in text]
    assert told
    total = "salariés(?: fin 2024)?, et (?:de )?10 à 19 dans l’ensemble de la société"
    assert all(re.search(f"un ou deux {total}", text) for text in told)
    earlier = facts_like(**_RICH, annee_effectifs=2023)
    assert not any(re.search(total, text) for text in _texts(earlier, 100))


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
    for text in (*_texts(facts_like(activite=activity, **_RICH)), *_texts(sparse)):
        assert re.search(r"(?i)activité[^.]* activités", text) is None, text


def test_an_activity_that_the_opening_tells_has_no_sentence_of_its_own(
    facts_like: FactsLike,
) -> None:
    texts = _texts(facts_like(**_RICH), 200)
    told = [text for text in texts if re.match(r"[^.]* a pour activité", text)]
    assert told
    for text in (*texts, *_texts(facts_like())):
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
    texts = [text for text in _texts(facts) if quality in text]
    assert len(texts) > 30
    assert any(re.search(rf"{unit} (?:a|relève|appartient)", text) for text in texts)
    for seed in map(str, range(60)):
        assert_publishable(facts, variant_seed=seed)


def test_no_public_body_and_no_foreign_company_is_told_a_day_of_creation(
    facts_like: FactsLike,
) -> None:
    for form in ("7210", "4150", "3120"):
        facts = facts_like(categorie_juridique=form, unite_date_creation=dt.date(1983, 3, 1))
        assert not any("1983" in text for text in _texts(facts))


def test_the_sites_of_one_commune_are_all_in_the_same(facts_like: FactsLike) -> None:
    for count, told in ((2, "toutes? deux|tous deux"), (5, "toutes|tous")):
        sites = Sites(open=count, closed=0, communes=1, month=_MONTH)
        texts = _texts(facts_like(context=Context(sites=sites)))
        with_sites = [text for text in texts if "dans" in text]
        assert with_sites
        assert all(
            re.search(f", (?:{told}) dans (?:la même|une seule) commune", each)
            for each in with_sites
        )
