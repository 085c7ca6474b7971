"""A question finds what people mean: also with mistakes, in another order, with half of it."""

import random
from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from services.portal.search.engine import Filters
from shared.search.words import telling, words_of
from tests.integration.portal.search.conftest import Finder
from tests.integration.portal.search.invented import COMMUNES, Invented, store

_EACH = 20
_FORMS = ("SARL", "S.A.R.L.", "Ets", "société")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _city(each: Invented) -> str:
    return each.commune[1].partition(" 12e")[0]


def _typo(word: str, dice: random.Random) -> str:
    at = dice.randrange(1, len(word) - 1)
    how = dice.randrange(3)
    if how == 0:
        return word[:at] + word[at + 1 :]
    if how == 1:
        return word[:at] + dice.choice(_LETTERS) + word[at:]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _mistyped(text: str, dice: random.Random) -> str:
    words = words_of(text)
    at = max(range(len(words)), key=lambda place: len(words[place]))
    return " ".join([*words[:at], _typo(words[at], dice), *words[at + 1 :]])


KINDS: dict[str, Callable[[Invented, random.Random], str]] = {
    "exact": lambda each, _: f"{each.nom} {_city(each)}",
    "form": lambda each, dice: (
        f"{dice.choice(['SARL', 'S.A.R.L.', 'Ets'])} {each.nom} {_city(each)}"
    ),
    "typo": lambda each, dice: f"{_mistyped(each.nom, dice)} {_city(each)}",
    "typo in the city": lambda each, dice: f"{each.nom} {_mistyped(_city(each), dice)}",
    "two typos": lambda each, dice: f"{_mistyped(each.nom, dice)} {_mistyped(_city(each), dice)}",
    "order": lambda each, _: f"{_city(each)} {' '.join(reversed(each.nom.split()))}",
    "a word missing": lambda each, _: f"{each.nom.split()[1]} {_city(each)}",
    "joined": lambda each, _: f"{each.nom.replace(' ', '')} {_city(each)}",
    "split": lambda each, _: f"{each.nom[:5]} {each.nom[5:]} {_city(each)}",
    "split in three": lambda each, _: (
        f"{each.nom[:4]} {each.nom[4:7]} {each.nom[7:]} {_city(each)}"
    ),
    "form in full": lambda each, _: f"société à responsabilité limitée {each.nom} {_city(each)}",
    "question": lambda each, _: f"c'est quoi l'adresse de {each.nom} à {_city(each)}",
    "search told": lambda each, _: f"je cherche {each.nom} {_city(each)}",
    "street": lambda each, _: f"{each.nom} allée du Zbrulac",
    "street and city": lambda each, _: f"{each.nom} rue des Zbruleuls {_city(each)}",
    "nobody's word": lambda each, _: f"{each.nom} zbrukaly {_city(each)}",
    "postcode": lambda each, _: f"{each.nom} {each.commune[4]}",
    "name alone": lambda each, _: each.nom,
    "other name": lambda each, _: f"{each.unite or each.nom} {_city(each)}",
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_meant_is_among_the_first_ten(finder: Finder, kind: str) -> None:
    dice = random.Random(11)
    asked = [each for each in finder.invented.values() if kind != "other name" or each.unite]
    missed = []
    for each in dice.sample(asked, _EACH):
        q = KINDS[kind](each, dice)
        wanted = telling(words_of(each.nom))
        if kind == "a word missing":
            wanted = wanted[1:]
        found = [finder.invented[siret] for siret in finder.sirets(q)]
        if not any(
            set(wanted) <= set(words_of(one.nom)) and one.commune == each.commune for one in found
        ):
            missed.append(q)
    assert len(missed) <= _EACH // 10, missed


def test_it_says_what_it_understood(finder: Finder) -> None:
    each = next(each for each in finder.invented.values() if each.commune[0] == "33063")
    trade, surname = each.nom.lower().split()
    mistyped = surname[:3] + surname[4:]
    found = finder.find(f"sarl {trade} {mistyped} bordeaux")
    assert found.hits[0].siret == each.siret
    assert found.understood.corrected == {mistyped: surname}
    assert list(found.understood.ignored) == ["sarl"]
    assert found.total_exact
    assert found.total >= 1


def test_a_word_that_goes_with_nothing_is_left_out_and_told(finder: Finder) -> None:
    each = next(each for each in finder.invented.values() if each.commune[0] == "33063")
    found = finder.find(f"{each.nom} qwertzuiop")
    assert finder.invented[found.hits[0].siret].nom == each.nom
    assert list(found.understood.left_out) == ["qwertzuiop"]
    assert list(finder.find(each.nom).understood.left_out) == []


def test_a_name_that_is_a_city_and_a_trade_is_found(finder: Finder, engine: Engine) -> None:
    """Whole names are looked for first: words that name a commune may be the name itself."""
    here, paris = COMMUNES[0], COMMUNES[3]
    shops = [Invented(f"7000000{at:02}00001", f"SHOP {at}", paris, "47.71Z") for at in range(20)]
    shop = Invented("71000000000001", "PARIS SHOP", here, "47.71Z")
    store(engine, [*shops, shop])
    assert finder.sirets("paris shop")[0] == shop.siret
    assert finder.sirets("paris shop bordeaux")[0] == shop.siret


def test_words_that_name_a_commune_are_its_place(finder: Finder) -> None:
    found = finder.find("boulangerie bordeaux")
    assert list(found.understood.communes) == ["33063"]
    communes = {finder.invented[hit.siret].commune[0] for hit in found.hits}
    assert communes == {"33063"}


def test_names_alone_do_not_find_places(finder: Finder) -> None:
    assert finder.sirets("merignac")
    assert not finder.sirets(nom="merignac")
    assert finder.sirets(nom="garage")


BESIDE_WORDS: list[tuple[Filters, Callable[[Invented], bool]]] = [
    (Filters(departement=["33"]), lambda each: each.commune[2] == "33"),
    (Filters(code_commune=["75056"]), lambda each: each.commune[0] == "75112"),
    (Filters(code_postal=["64000"]), lambda each: each.commune[4] == "64000"),
    (Filters(tranche_effectifs=["21"], etat="A"), lambda each: each.tranche == "21"),
    (Filters(region=["04"], siege=False), lambda each: each.commune[3] == "04"),
]


@pytest.mark.parametrize(("filters", "holds"), BESIDE_WORDS)
def test_filters_hold_beside_words(
    finder: Finder, filters: Filters, holds: Callable[[Invented], bool]
) -> None:
    found = finder.walk("garage", filters=filters)
    assert found
    garages = (each for each in finder.invented.values() if each.nom.startswith("GARAGE"))
    assert set(found) == {each.siret for each in garages if holds(each)}


def test_a_cursor_of_words_walks_each_row_once(finder: Finder) -> None:
    walked = finder.walk("garage", limit=7)
    assert len(walked) == len(set(walked))
    wanted = {each.siret for each in finder.invented.values() if each.nom.startswith("GARAGE")}
    assert set(walked) == wanted
    assert finder.find("garage").total == len(wanted)


@pytest.mark.parametrize(
    "q", ["!!!", "🥖🥖", "'", "\\", ":*", "& | !", "a' OR 1=1 --", "%s %(q)s", "x " * 1000, "\x00"]
)
def test_odd_questions_are_answered(finder: Finder, q: str) -> None:
    assert finder.find(q).total >= 0
    assert finder.find(nom=q).total >= 0


def test_suggestions_go_on_as_the_question_begins(finder: Finder) -> None:
    each = next(iter(finder.invented.values()))
    trade, surname = each.nom.lower().split()
    for q in (surname[:3], surname[:5], f"{trade} {surname[:2]}", f"{trade} {surname[:6]}"):
        suggested = finder.suggested(q)
        assert suggested
        assert all(surname[:2].upper() in name for name in suggested)
    assert finder.suggested(f"{trade} {surname[:4]}", code_commune="99999") == []
    assert finder.suggested("!!") == []
