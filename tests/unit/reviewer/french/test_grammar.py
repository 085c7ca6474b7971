import datetime as dt
from typing import Literal

import pytest

from services.reviewer.french.grammar import (
    date_en_lettres,
    de,
    de_le,
    le,
    lieu,
    nombre,
    que,
)
from shared.sirene.reference import noms_de_communes


@pytest.mark.parametrize(
    ("commune", "a", "de_"),
    [
        ("Vannes", "à Vannes", "de Vannes"),
        ("Angers", "à Angers", "d’Angers"),
        ("Évreux", "à Évreux", "d’Évreux"),
        ("Œuf-en-Ternois", "à Œuf-en-Ternois", "d’Œuf-en-Ternois"),
        ("Le Mans", "au Mans", "du Mans"),
        ("Le Havre", "au Havre", "du Havre"),
        ("Les Herbiers", "aux Herbiers", "des Herbiers"),
        ("Les Sables-d'Olonne", "aux Sables-d’Olonne", "des Sables-d’Olonne"),
        ("La Rochelle", "à La Rochelle", "de La Rochelle"),
        ("L'Haÿ-les-Roses", "à L’Haÿ-les-Roses", "de L’Haÿ-les-Roses"),
        ("L'Isle-Adam", "à L’Isle-Adam", "de L’Isle-Adam"),
        ("Lès-Bois", "à Lès-Bois", "de Lès-Bois"),
        ("Lespinasse", "à Lespinasse", "de Lespinasse"),
        ("Leval", "à Leval", "de Leval"),
        ("Aux Marais", "à Aux Marais", "d’Aux Marais"),
        ("Los Masos", "à Los Masos", "de Los Masos"),
        ("Haguenau", "à Haguenau", "de Haguenau"),
        ("Houilles", "à Houilles", "de Houilles"),
        ("Hyères", "à Hyères", "d’Hyères"),
        ("Hendaye", "à Hendaye", "d’Hendaye"),
        ("Yvetot", "à Yvetot", "d’Yvetot"),
        ("Yutz", "à Yutz", "de Yutz"),
        ("Y", "à Y", "de Y"),
        ("Paris 7e Arrondissement", "à Paris (7e arrondissement)", "de Paris (7e arrondissement)"),
        ("Lyon 1er Arrondissement", "à Lyon (1er arrondissement)", "de Lyon (1er arrondissement)"),
        (
            "Bors (Canton de Charente-Sud)",
            "à Bors (canton de Charente-Sud)",
            "de Bors (canton de Charente-Sud)",
        ),
    ],
)
def test_a_commune_takes_its_article_and_preposition(commune: str, a: str, de_: str) -> None:
    assert (lieu(commune).a, lieu(commune).de) == (a, de_)


def test_no_commune_keeps_an_article_that_must_contract() -> None:
    for commune in noms_de_communes():
        place = lieu(commune)
        assert not place.a.startswith(("à Le ", "à Les "))
        assert not place.de.startswith(("de Le ", "de Les ", "de A", "de É", "de O", "de I"))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("association", "d’association"),
        ("hôtel", "d’hôtel"),
        ("héros", "de héros"),
        ("haricots", "de haricots"),
        ("huile", "d’huile"),
        ("onze", "de onze"),
        ("yaourt", "de yaourt"),
        ("œufs", "d’œufs"),
        ("«ÉTOILE»", "d’«ÉTOILE»"),
        ("", "de "),
    ],
)
def test_de_elides_before_a_vowel_and_a_mute_h(word: str, expected: str) -> None:
    assert de(word) == expected


def test_le_and_que_elide_alike() -> None:
    assert le("élevage", "m") == "l’élevage"
    assert le("horlogerie", "f") == "l’horlogerie"
    assert le("commerce", "m") == "le commerce"
    assert le("fabrication", "f") == "la fabrication"
    assert le("études", "f", plural=True) == "les études"
    assert que("association") == "qu’association"
    assert que("société") == "que société"


@pytest.mark.parametrize(
    ("noun", "gender", "expected"),
    [
        ("syndicat", "m", "du syndicat"),
        ("commune", "f", "de la commune"),
        ("association", "f", "de l’association"),
        ("HOPITAL DU MANS", "m", "de l’HOPITAL DU MANS"),
    ],
)
def test_an_article_contracts_with_de(noun: str, gender: Literal["m", "f"], expected: str) -> None:
    assert de_le(noun, gender) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2024, 1, 1), "1er janvier 2024"),
        (dt.date(2024, 8, 2), "2 août 2024"),
        (dt.date(1999, 12, 31), "31 décembre 1999"),
        (dt.date(2001, 2, 21), "21 février 2001"),
    ],
)
def test_only_the_first_of_a_month_is_an_ordinal(day: dt.date, expected: str) -> None:
    assert date_en_lettres(day) == expected


def test_thousands_are_parted_by_a_space_that_does_not_break() -> None:
    assert [nombre(value) for value in (999, 1000, 10000)] == ["999", "1\u00a0000", "10\u00a0000"]
