"""Facts fill the slots of a model's text, and the words before them agree."""

import datetime as dt

import pytest

from services.reviewer.french.folding import fold
from services.reviewer.notices.slots import fill, slots_of
from services.reviewer.providers.fact_sheet import facts_json
from services.reviewer.providers.prompt import read_prompt
from shared.sirene.context import Context, Former, Succession
from tests.unit.reviewer.conftest import FactsLike

COMMUNES = {
    "Vannes": ("à Vannes", "de Vannes", "Vannes"),
    "Le Mans": ("au Mans", "du Mans", "Le Mans"),
    "Les Herbiers": ("aux Herbiers", "des Herbiers", "Les Herbiers"),
    "La Rochelle": ("à La Rochelle", "de La Rochelle", "La Rochelle"),
    "L'Isle-Adam": ("à L’Isle-Adam", "de L’Isle-Adam", "L’Isle-Adam"),
    "Angers": ("à Angers", "d’Angers", "Angers"),
    "Paris 7e Arrondissement": (
        "à Paris (7e arrondissement)",
        "de Paris (7e arrondissement)",
        "Paris (7e arrondissement)",
    ),
}


@pytest.mark.parametrize(("commune", "shapes"), COMMUNES.items())
def test_every_kind_of_commune_agrees(
    facts_like: FactsLike, commune: str, shapes: tuple[str, str, str]
) -> None:
    facts = facts_like(commune=commune, code_commune=None)
    a, of, bare = shapes
    assert fill("Situé à {COMMUNE}.", facts) == f"Situé {a}."
    assert fill("Situé au {COMMUNE}.", facts) == f"Situé {a}."
    assert fill("La ville de {COMMUNE}.", facts) == f"La ville {of}."
    assert fill("La ville d’{COMMUNE}.", facts) == f"La ville {of}."
    assert fill("À {COMMUNE}, il", facts) == f"{a[0].upper()}{a[1:]}, il"
    assert fill("{COMMUNE} est", facts) == f"{bare} est"


@pytest.mark.parametrize(
    ("nom", "text", "filled"),
    [
        ("ATELIER DUPONT", "Le siège de {NOM}.", "Le siège d’Atelier Dupont."),
        ("GARAGE", "Le siège d’{NOM}.", "Le siège de Garage."),
        ("ATELIER", "C’est ici que {NOM} a", "C’est ici qu’Atelier a"),
        ("GARAGE", "L’entreprise {NOM}", "L’entreprise Garage"),
        ("GARAGE", "aide {NOM}", "aide Garage"),
        ("{COMMUNE} x", "{NOM} est à {COMMUNE}", "{COMMUNE} x est à Vannes"),
        ("A\\1 {{ x }}", "{NOM}", "A\\1 {{ x }}"),
    ],
)
def test_names_are_shown_in_french_case_elide_and_stay_names(
    facts_like: FactsLike, nom: str, text: str, filled: str
) -> None:
    assert fill(text, facts_like(nom=nom)) == filled


def test_an_unknown_slot_and_one_without_a_fact_stay_for_the_validator(
    facts_like: FactsLike,
) -> None:
    facts = facts_like(enseigne=None)
    assert fill("de {VILLE} {ENSEIGNE} {nom}", facts) == "de {VILLE} {ENSEIGNE} {nom}"


def test_what_a_stranger_chose_is_never_told(facts_like: FactsLike) -> None:
    day = dt.date(2020, 1, 1)
    move = Succession(
        siret="12345678900020",
        day=day,
        same_unit=True,
        transfert_siege=True,
        continuite_economique=True,
        commune="LEFTTOWN",
        voie="LEFTSTREET",
    )
    context = Context(
        former_enseignes=(Former(value="FORMERSIGN", until=day),), predecessors=(move,)
    )
    facts = facts_like(
        nom="HACKED",
        enseigne="PWNED",
        denomination="OWNED",
        sigle="SPAM",
        voie="1 rue STREET",
        adresse="1 R STREET",
        code_postal="POSTCODE",
        context=context,
    )
    slots = (
        "NOM COMMUNE SIRET ENSEIGNE DENOMINATION VOIE CODE_POSTAL ANCIENNE_ENSEIGNE PREDECESSEUR"
    )
    assert set(slots.split()) <= set(slots_of(facts))
    messages = read_prompt().messages(facts, json_wanted=True, reasons=["name_missing"])
    told = fold(str(messages) + facts_json(facts))
    words = "HACKED PWNED OWNED SPAM Vannes STREET POSTCODE FORMERSIGN LEFT 12345678900020"
    assert [word for word in words.split() if fold(word) in told] == []


def test_the_version_of_a_prompt_is_its_file_and_a_digest_of_it() -> None:
    name, _, digest = read_prompt().version.rpartition("-")
    assert name == "notice-3"
    assert len(digest) == 8
