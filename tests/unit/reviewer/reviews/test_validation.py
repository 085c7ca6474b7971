"""A synthese says nothing besides its quotations, and each one is whole."""

import datetime as dt
from typing import Any

import pytest

from services.reviewer.reviews import synthese
from services.reviewer.reviews.selection import QUOTED
from services.reviewer.reviews.source import Source
from services.reviewer.reviews.validation import validate_synthese
from tests.unit.reviewer.reviews.reviews import FACTS, source

PRIVATE = "Appelez-moi au 06 12 34 56 78."
FIRST = "https://avis.example/avis/0, CC BY 4.0)."


def text_of(*sources: Source) -> str:
    return synthese.generate(FACTS, sources).text


def label_of(*sources: Source) -> str:
    return synthese.label(FACTS, sources, generated_on=dt.date(2026, 2, 1))


def some(number: int, unquotable: int = 0) -> list[Source]:
    """Return `number` reviews; the latest of them are unquotable."""
    said: list[dict[str, Any]] = [{"verbatim": PRIVATE}] * unquotable + [{}] * number
    return [source(place, **said[place]) for place in range(number)]


def test_one_review_is_told_in_the_singular_with_all_its_particulars() -> None:
    one = source()
    assert text_of(one) == (
        "Un avis, publié le 31 janvier 2026, a été recueilli au sujet de l’établissement "
        "ATELIER DUPONT, au Mans. Il est cité en entier. Les avis sont présentés par date de "
        "publication, du plus récent au plus ancien. «\u00a0Très bon accueil, je recommande ! "
        "(0)\u00a0» (Marie A., avis publié le 31 janvier 2026, expérience du 1er décembre "
        "2025\u00a0; avis contrôlé\u00a0: achat ou réservation vérifiés\u00a0; déposé sans "
        "contrepartie\u00a0; source\u00a0: Avis Exemple, https://avis.example/avis/0, CC BY 4.0)."
    )
    assert validate_synthese(text_of(one), FACTS, [one]) == ()


def test_an_update_and_a_counterpart_and_the_lack_of_a_check_are_told() -> None:
    one = source(
        updated_on="2026-02-01",
        counterpart=True,
        verification="none",
        verification_description=None,
    )
    assert (
        "avis publié le 31 janvier 2026, mis à jour le 1er février 2026, expérience du 1er décembre"
        " 2025\u00a0; avis non contrôlé\u00a0; déposé contre une contrepartie\u00a0;"
    ) in text_of(one)
    assert validate_synthese(text_of(one), FACTS, [one]) == ()


@pytest.mark.parametrize("count", [2, 3, 7, 1200])
def test_the_latest_are_quoted_and_all_are_counted(count: int) -> None:
    sources = some(count)
    text = text_of(*sources)
    assert text.count("«") == min(count, QUOTED)
    assert ("plus récents" in text) == (count > QUOTED)
    assert "présentés par date de publication, du plus récent" in text
    assert validate_synthese(text, FACTS, sources) == ()


@pytest.mark.parametrize(
    ("count", "unquotable", "in_text", "in_label"),
    [
        (1, 0, "Il est cité en entier.", "d’un avis publié par un tiers, cité en entier"),
        (2, 0, "Tous sont cités en entier.", "de 2 avis publiés par des tiers, tous cités en"),
        (
            2,
            1,
            "L’un d’eux est cité en entier. Un autre ne peut pas l’être, en raison de son contenu",
            (
                "de 2 avis publiés par des tiers\u00a0: un seul est cité en entier et mot pour "
                "mot avec sa source, un ne peut pas être cité."
            ),
        ),
        (
            5,
            2,
            "3 d’entre eux sont cités en entier. 2 autres ne peuvent pas l’être, en raison de leur",
            (
                "de 5 avis publiés par des tiers\u00a0: 3 sont cités en entier et mot pour mot avec"
                " leur source, 2 ne peuvent pas être cités."
            ),
        ),
        (
            8,
            2,
            "Les 3 plus récents de ceux qui peuvent l’être sont cités en entier. 2 autres ne",
            (
                "de 8 avis publiés par des tiers\u00a0: 3 sont cités en entier et mot pour mot avec"
                " leur source, 2 ne peuvent pas être cités."
            ),
        ),
        (
            8,
            0,
            "Les 3 plus récents sont cités en entier. Les avis sont",
            (
                "de 8 avis publiés par des tiers\u00a0: 3 sont cités en entier et mot pour mot avec"
                " leur source."
            ),
        ),
    ],
)
def test_text_and_label_say_how_many_are_quoted_and_how_many_cannot_be(
    count: int, unquotable: int, in_text: str, in_label: str
) -> None:
    sources = some(count, unquotable)
    text = text_of(*sources)
    assert in_text in text
    assert in_label in label_of(*sources)
    assert "06 12" not in text
    assert validate_synthese(text, FACTS, sources) == ()


def test_the_label_tells_the_terms_of_each_site_once() -> None:
    label = label_of(source(0), source(1), source(2, site="Autre", publication_days=0))
    assert label.count("Avis du site Avis Exemple") == 1
    assert (
        "Avis du site Avis Exemple\u00a0: avis contrôlés, achat ou réservation vérifiés (le numéro "
        "de la facture est comparé avec celui du vendeur)\u00a0; déposés sans "
        "contrepartie\u00a0; publiés sous 7\u00a0jours au plus\u00a0; conservés "
        "1\u00a0825\u00a0jours au plus\u00a0; leur auteur peut être contacté\u00a0; un avis peut "
        "être modifié (par l’auteur, pendant trente jours)\u00a0; motifs de refus\u00a0: injures, "
        "données personnelles, hors sujet\u00a0; pour signaler un doute sur un avis\u00a0: "
        "https://avis.example/signaler."
    ) in label
    assert "Avis du site Autre\u00a0: " in label
    assert "publiés le jour de leur dépôt" in label


def test_a_customer_s_own_quotation_marks_and_praise_are_the_customer_s() -> None:
    said = "La voisine a dit «\u00a0le meilleur du pays\u00a0» et c’est vrai : 5 étoiles"
    one = source(0, verbatim=said)
    assert validate_synthese(text_of(one), FACTS, [one]) == ()


@pytest.mark.parametrize("length", [399, 490, 999])
def test_a_long_review_is_quoted_whole(length: int) -> None:
    said = ("Excellent bureau, " * 60)[: length - 28] + " … je déconseille vivement !"
    one = source(0, verbatim=said)
    assert f"«\u00a0{said}\u00a0»" in text_of(one)
    assert validate_synthese(text_of(one), FACTS, [one]) == ()


def test_a_longer_one_is_counted_and_not_cut() -> None:
    long, short = source(0, verbatim="Service rapide et soigné, " * 80), source(1)
    text = text_of(long, short)
    assert "rapide et soigné" not in text
    assert text.startswith("2 avis")
    assert validate_synthese(text, FACTS, [long, short]) == ()


def test_lines_of_a_review_stay_its_lines() -> None:
    one = source(0, verbatim="Très bien.\r\n\r\n- accueil\r\n- prix ")
    assert "«\u00a0Très bien.\n\n- accueil\n- prix\u00a0»" in text_of(one)
    assert validate_synthese(text_of(one), FACTS, [one]) == ()


@pytest.mark.parametrize(
    ("said", "instead", "reason"),
    [
        ("Très bon accueil", "Excellent accueil", "quote_not_verbatim"),
        (", je recommande !", "", "quote_not_verbatim"),
        ("(Marie A., ", "(", "quote_without_source"),
        ("(Marie A., avis publié le 31", "(Marie A., avis publié le 30", "quote_without_source"),
        ("avis contrôlé", "avis certifié", "quote_without_source"),
        ("sans contrepartie", "", "quote_without_source"),
        ("https://avis.example/avis/0", "avis.example", "quote_without_source"),
        ("Un avis, publié", "Deux avis, publiés", "wrong_count"),
        ("Il est cité en entier. ", "", "wrong_count"),
        ("du plus récent au plus ancien", "par pertinence", "wrong_count"),
        ("au Mans", "à Angers", "wrong_city"),
        ("ATELIER DUPONT", "l’entreprise", "name_missing"),
        ("a été recueilli", "excellent a été recueilli", "superlative"),
        ("a été recueilli", "noté 5/5 a été recueilli", "rating"),
        (FIRST, f"{FIRST} Nous le recommandons.", "recommendation"),
        (FIRST, f"{FIRST} «\u00a0Parfait\u00a0».", "quote_not_verbatim"),
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


def test_a_quotation_that_must_not_be_is_a_reason() -> None:
    good = source(0)
    told = text_of(good).replace(good.verbatim, PRIVATE)
    assert "not_quotable" in validate_synthese(told, FACTS, [source(0, verbatim=PRIVATE)])


def test_a_text_without_a_quotation_is_no_synthese() -> None:
    assert "no_quote" in validate_synthese("Un avis a été recueilli.", FACTS, [source(0)])
