"""Elasticsearch finds what PostgreSQL finds, and what PostgreSQL hides nobody finds (R2, R11)."""

import random

import pytest
from sqlalchemy import text

from services.portal.elasticsearch import engine as engine_room
from services.portal.search.engine import Filters, Near
from services.writer.erasure.oppositions import forget
from tests.conditions import wait_until
from tests.integration.portal.elastic import Fault, found_ids
from tests.integration.portal.elasticsearch.conftest import Both
from tests.integration.portal.search.test_words import KINDS

_EACH = 12


@pytest.mark.parametrize("kind", KINDS)
def test_both_engines_find_the_same(both: Both, kind: str) -> None:
    dice = random.Random(7)
    for each in dice.sample(sorted(both.elasticsearch.invented.values()), _EACH):
        q = KINDS[kind](each, dice)
        asked = both.asked()
        found = both.elasticsearch.find(q, limit=25)
        assert both.asked() > asked
        assert found == both.postgresql.find(q, limit=25), q
    assert both.value("sirenade_portal_searches_instead_total") == 0


def test_both_engines_find_the_same_beside_filters_and_near(both: Both) -> None:
    near = Near(44.8378, -0.5792, radius_km=3)
    for more in (
        {"filters": Filters(departement=["33", "64"], etat="A", siege=False)},
        {"filters": Filters(code_postal=["64000"], tranche_effectifs=["21"])},
        {"near": near, "order": "distance"},
        {"facets": ["activite_principale", "departement", "etat"]},
    ):
        for q in ("garage", "boulangerie bordeaux", "plombier pau"):
            found = both.elasticsearch.find(q, limit=25, **more)
            assert found == both.postgresql.find(q, limit=25, **more), (q, more)
    assert both.elasticsearch.walk("garage", limit=7) == both.postgresql.walk("garage", limit=7)


def test_both_engines_suggest_the_same(both: Both) -> None:
    for letters in ("ga", "gar", "bou", "boulang", "marti", "pharmacie ber"):
        suggested = both.elasticsearch.suggested(letters)
        assert suggested
        assert suggested == both.postgresql.suggested(letters), letters


def test_a_page_that_was_erased_is_told_by_nothing_though_elasticsearch_has_it(both: Both) -> None:
    each = next(iter(both.elasticsearch.invented.values()))
    surname = each.nom.split()[1].lower()
    everybody = both.elasticsearch.invented.values()
    alike = {one.siret for one in everybody if surname.upper() in one.nom}
    assert both.total(surname) == len(alike)
    forget(both.engine, each.siret[:9], reason="asked")
    left = alike - {each.siret}
    found = both.elasticsearch.find(surname, facets=["departement"], limit=25)
    assert {hit.siret for hit in found.hits} == left
    assert found.total == len(left) == sum(number for _, number in found.facets["departement"])
    assert each.siret not in both.suggested(each.nom.lower())
    assert len(found_ids(both.follower.indexes, "names", surname)) == len(alike)
    assert both.value("sirenade_portal_hits_dropped_total") > 0


def test_a_name_that_is_gone_leads_nobody_to_its_page(both: Both) -> None:
    """The page stays, without the name: whoever searches by it must not be led there."""
    each = next(each for each in both.elasticsearch.invented.values() if not each.unite)
    surname = each.nom.split()[1].lower()
    assert each.siret in both.elasticsearch.sirets(each.nom)
    with both.engine.begin() as connection:
        connection.execute(
            text("UPDATE search_entries SET nom = 'X', terms = 'x' WHERE siret = :siret"),
            {"siret": each.siret},
        )
    assert each.siret not in both.elasticsearch.sirets(each.nom)
    assert each.siret not in both.elasticsearch.sirets(surname)


@pytest.mark.parametrize(
    "fault", [Fault("_search", 503, times=99), Fault("_search", 401, times=99), Fault("", 200)]
)
def test_while_elasticsearch_is_away_postgresql_answers(both: Both, fault: Fault) -> None:
    both.between.faults.append(fault)
    each = next(iter(both.elasticsearch.invented.values()))
    q = f"{each.nom} {each.commune[4]}"
    assert both.elasticsearch.find(q) == both.postgresql.find(q)
    assert both.value("sirenade_portal_searches_instead_total") > 0


def test_it_is_left_alone_while_it_is_away_and_tried_again(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_room, "_REST_SECONDS", 3.0)
    each = next(iter(both.elasticsearch.invented.values()))
    both.between.faults.append(Fault("_search", 503, times=1))
    before = both.asked()
    for _ in range(5):
        assert each.siret in both.elasticsearch.sirets(each.nom)
    assert both.asked() == before + 1

    def answers() -> bool:
        both.elasticsearch.find(each.nom)
        return both.asked() > before + 2

    wait_until(answers, seconds=20)
    instead = both.value("sirenade_portal_searches_instead_total")
    both.elasticsearch.find(each.nom)
    assert both.value("sirenade_portal_searches_instead_total") == instead


def test_odd_questions_are_answered(both: Both) -> None:
    for q in ("!!!", "'", "\\", ":*", "& | !", "a' OR 1=1 --", '"}]}', "x " * 1000, "\x00", "*:*"):
        assert both.elasticsearch.find(q) == both.postgresql.find(q)
        assert both.elasticsearch.find(nom=q) == both.postgresql.find(nom=q)
    assert both.value("sirenade_portal_searches_instead_total") == 0


@pytest.mark.slow
@pytest.mark.parametrize("both", [2000], indirect=True)
def test_both_engines_find_the_same_among_thousands(both: Both) -> None:
    """300 questions of all kinds; of more than 200 candidates each engine has its own choice."""
    dice = random.Random(31)
    everybody = sorted(both.elasticsearch.invented.values())
    differing = []
    for number in range(300):
        kind = [*KINDS][number % len(KINDS)]
        each = dice.choice(everybody)
        q = KINDS[kind](each, dice)
        found, wanted = (
            [hit.id for hit in engine.find(q, limit=10).hits]
            for engine in (both.elasticsearch, both.postgresql)
        )
        if found != wanted:
            differing.append((kind, q))
    assert both.value("sirenade_portal_searches_instead_total") == 0
    assert differing == []
