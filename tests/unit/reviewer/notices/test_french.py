"""The French of the template: agreement, elision, and no clerk’s words."""

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
from shared.sirene.facts import Facts
from shared.sirene.reference import communes, departement_of, libelles_d_activite
from tests.unit.reviewer.conftest import FactsLike
from tests.unit.reviewer.notices.wordings import RICH, texts_of
from tests.unit.reviewer.samples import ARTICLES, TRANCHES, YEAR


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
    for facts in (facts_like(**changes), facts_like(**changes, **RICH)):
        for text in texts_of(facts):
            assert place in text or place[0].upper() + place[1:] in text, text


def test_an_establishment_is_called_so_at_most_twice(facts_like: FactsLike) -> None:
    for siege in (True, False):
        for text in texts_of(facts_like(**RICH, est_siege=siege), 200):
            assert len(re.findall(r"(?i)établissement", text)) <= 2, text


def test_what_a_clerk_would_write_is_written_nowhere(facts_like: FactsLike) -> None:
    clerk = r"la suivante|le suivant|existe depuis|remonte|sur place|dépend de|renseignements"
    texts = (*texts_of(facts_like(**RICH), 200), *texts_of(facts_like(), 100))
    assert not any(re.search(clerk, text) for text in texts)


def test_agreement_follows_the_gender_of_the_legal_form(facts_like: FactsLike) -> None:
    def texts_like(code: str) -> str:
        created = dt.date(1998, 5, 4)
        facts = facts_like(categorie_juridique=code, est_siege=False, unite_date_creation=created)
        return "\n".join(texts_of(facts))

    company, group = texts_like("5710"), texts_like("6533")
    assert "une société par actions simplifiée créée en 1998, présente à Vannes" in company
    assert "groupement agricole d’exploitation en commun créé en 1998" in group
    assert "un société" not in company
    assert "une groupement" not in group


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
            **(RICH if number % 2 else {}),
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
            **(RICH if seed[-1] % 3 else {}),
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


def test_what_would_make_a_text_too_long_is_left_out(facts_like: FactsLike) -> None:
    """One of the longest forms, far from its own commune: this seed told 101 words."""
    facts = facts_like(
        **RICH,
        siret="44063158778888",
        categorie_juridique="5547",
        commune="Bors (Canton de Charente-Sud)",
        code_commune=None,
        departement=None,
        tranche_effectifs="42",
        est_siege=True,
    )
    assert validate(generate(facts, YEAR).text, facts).accepted


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_legal_form_headcount_and_kind_of_commune_passes(facts_like: FactsLike) -> None:
    for facts in _walk(facts_like, TRANCHES):
        text = generate(facts, YEAR).text
        assert _BAD_FRENCH.search(text) is None, text
        assert validate(text, facts).accepted, text


def test_the_register_is_named_in_full_where_it_is_first_spoken_of(facts_like: FactsLike) -> None:
    for text in texts_of(facts_like(**RICH), 200):
        assert re.match(r"(?:(?!répertoire\b).)*(?:répertoire Sirene|$)", text), text


def test_y_and_son_follow_the_opening_only(facts_like: FactsLike) -> None:
    for facts in (facts_like(**RICH), facts_like(**RICH, est_siege=False)):
        for text in texts_of(facts, 200):
            _, _, *later = re.split(r"(?<=\.) ", text)
            told = re.search(r"\b(?:y (?!compris)|Son )", " ".join(later))
            assert told is None, text


def test_no_sentence_begins_with_the_date_that_ends_the_one_before(facts_like: FactsLike) -> None:
    for text in texts_of(facts_like(**RICH), 200):
        assert re.search(r"(?i)\b(fin \d+)\. (?:à la )?\1", text) is None, text
