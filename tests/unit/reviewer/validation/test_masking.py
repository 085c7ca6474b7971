from collections.abc import Callable

import pytest

from services.reviewer.french.folding import fold_with_origins
from services.reviewer.validation.known import know
from services.reviewer.validation.masking import MASK, Masked, find_facts, mask
from shared.sirene.facts import Facts

FactsLike = Callable[..., Facts]


def _masked(text: str, facts: Facts) -> Masked:
    folded, known = fold_with_origins(text), know(facts)
    return mask(text, folded, known, find_facts(text, folded, known))


def _rest(text: str, facts: Facts) -> str:
    masked = _masked(text, facts)
    assert len(masked.rest) == len(text)
    return " ".join(masked.rest.replace(MASK, " ").split())


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Garage du Port, à Vannes", ", à"),
        ("le GARAGE  DU\u00a0PORT", "le"),
        ("GARAGE DU PORTAIL", "GARAGE DU PORTAIL"),
        ("à Vannes-sur-Cosson", "à Vannes-sur-Cosson"),
        ("au pays des vannes", "au pays des vannes"),
        ("dans le Morbihan", "dans le"),
        ("l’entretien et la réparation des véhicules légers", "l’"),
        ("une réparation d'automobiles et du pain", "une et du pain"),
        ("en 2011, 20112", "en , 20112"),
        ("le 1er mars 2011", "le"),
        ("une SARL, une S.A.R.L., une sarl", "une , une , une sarl"),
        ("le 123 456 789 00012", "le"),
        ("le 12345678900012", "le"),
    ],
)
def test_facts_are_masked_and_nothing_else(text: str, rest: str, facts_like: FactsLike) -> None:
    assert _rest(text, facts_like()) == rest


@pytest.mark.parametrize(
    ("commune", "text"),
    [
        ("Le Mans", "Le Mans, au Mans, du Mans"),
        ("Les Herbiers", "Les Herbiers, aux Herbiers, des Herbiers"),
        ("LE MANS", "au Mans"),
        ("SAINT-ETIENNE", "Saint-Étienne"),
        ("L'HAY-LES-ROSES", "L’Haÿ-les-Roses"),
        ("Paris 7e Arrondissement", "Paris, Paris (7e arrondissement), Paris 7e"),
        ("Œuf-en-Ternois", "Oeuf-en-Ternois"),
    ],
)
def test_a_commune_is_known_in_all_its_shapes(
    commune: str, text: str, facts_like: FactsLike
) -> None:
    facts = facts_like(commune=commune, code_commune=None)
    assert _rest(text, facts).strip(" ,") == ""


def test_the_legal_name_behind_a_signboard_is_masked(facts_like: FactsLike) -> None:
    facts = facts_like(nom="MAIRIE", denomination="COMMUNE DE SAINTE-LUCE")
    text = "MAIRIE est un établissement de la COMMUNE DE SAINTE-LUCE"
    assert _rest(text, facts) == "est un établissement de la"


def test_the_longest_fact_wins_where_two_begin_together(facts_like: FactsLike) -> None:
    facts = facts_like(nom="VANNES AUTO")
    masked = _masked("Vannes Auto est à Vannes", facts)
    assert [span.kind for span in masked.spans] == ["nom", "commune"]


def test_a_commune_inside_the_name_is_found_all_the_same(facts_like: FactsLike) -> None:
    masked = _masked("VANNES AUTO", facts_like(nom="VANNES AUTO"))
    assert masked.found == {"nom", "commune"}
