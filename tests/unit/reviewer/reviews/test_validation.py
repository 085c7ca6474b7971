"""A synthese says nothing besides its quotations, and each one is word for word."""

import datetime as dt
from typing import Any

import pytest

from services.reviewer.reviews import synthese
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.validation import validate_synthese
from shared.sirene.facts import Facts

FACTS = Facts(
    siret="30000000000012",
    siren="300000000",
    nom="ATELIER DUPONT",
    commune="Le Mans",
    code_commune="72181",
)


def source(number: int, **values: Any) -> Source:
    return Source(
        **{
            "siret": FACTS.siret,
            "url": f"https://avis.example/{number}",
            "licence": "CC BY 4.0",
            "author_label": f"Marie {chr(65 + number)}.",
            "published_on": dt.date(2026, 1, 31) - dt.timedelta(days=number),
            "experienced_on": dt.date(2025, 12, 1),
            "verification": "non vérifié",
            "verbatim": f"Très bon accueil, je recommande ! ({number})",
            **values,
        }
    )


def text_of(*sources: Source) -> str:
    return synthese.generate(FACTS, sources).text


def test_one_review_is_told_in_the_singular() -> None:
    one = source(0)
    assert text_of(one) == (
        "Un avis, publié le 31 janvier 2026, a été recueilli au sujet de l’établissement "
        "ATELIER DUPONT, au Mans. «\u00a0Très bon accueil, je recommande ! (0)\u00a0» (Marie A., "
        "avis publié le 31 janvier 2026, expérience du 1er décembre 2025\u00a0; "
        "vérification\u00a0: non vérifié\u00a0; source\u00a0: avis.example, CC BY 4.0)."
    )
    assert validate_synthese(text_of(one), FACTS, [one]) == ()


@pytest.mark.parametrize("count", [2, 3, 7, 1200])
def test_the_latest_are_quoted_and_all_are_counted(count: int) -> None:
    sources = [source(number % 26, url=f"https://avis.example/{number}") for number in range(count)]
    text = text_of(*sources)
    assert text.count("«") == min(count, synthese.QUOTED)
    assert ("plus récents" in text) == (count > synthese.QUOTED)
    assert validate_synthese(text, FACTS, sources) == ()


def test_a_customer_s_own_quotation_marks_and_praise_are_the_customer_s() -> None:
    said = "Le patron a dit «\u00a0le meilleur du pays\u00a0» et c’est vrai : 5 étoiles"
    one = source(0, verbatim=said)
    assert validate_synthese(text_of(one), FACTS, [one]) == ()


def test_a_long_review_is_cut_at_a_word_and_says_so() -> None:
    one = source(0, verbatim="Service rapide et soigné, " * 40)
    assert "[…]\u00a0»" in text_of(one)
    assert validate_synthese(text_of(one), FACTS, [one]) == ()


@pytest.mark.parametrize(
    ("said", "instead", "reason"),
    [
        ("Très bon accueil", "Excellent accueil", "quote_not_verbatim"),
        ("Marie A., ", "", "quote_without_source"),
        ("(Marie A., avis publié le 31", "(Marie A., avis publié le 30", "quote_without_source"),
        ("Un avis, publié", "Deux avis, publiés", "wrong_count"),
        ("au Mans", "à Angers", "wrong_city"),
        ("ATELIER DUPONT", "l’entreprise", "name_missing"),
        ("a été recueilli", "excellent a été recueilli", "superlative"),
        ("a été recueilli", "noté 5/5 a été recueilli", "rating"),
        ("CC BY 4.0).", "CC BY 4.0). Nous le recommandons.", "recommendation"),
        ("CC BY 4.0).", "CC BY 4.0). «\u00a0Parfait\u00a0».", "quote_not_verbatim"),
    ],
)
def test_every_other_word_is_held_against_it(said: str, instead: str, reason: str) -> None:
    one = source(0)
    changed = text_of(one).replace(said, instead, 1)
    assert changed != text_of(one)
    assert reason in validate_synthese(changed, FACTS, [one])


def test_words_of_a_review_that_was_withdrawn_are_nobody_s() -> None:
    kept, gone = source(0), source(1)
    assert "quote_not_verbatim" in validate_synthese(text_of(kept, gone), FACTS, [kept])


def test_a_text_without_a_quotation_is_no_synthese() -> None:
    assert "no_quote" in validate_synthese("Un avis a été recueilli.", FACTS, [source(0)])
