"""A trade word finds establishments of its activity, whatever their names are."""

import pytest
from sqlalchemy import Engine

from services.portal.search.engine import Filters, Near
from tests.integration.portal.search.conftest import Finder
from tests.integration.portal.search.invented import COMMUNES, Invented, store

BORDEAUX, MERIGNAC, PAU = COMMUNES[:3]
SALON = Invented("80000000000001", "CHEZ ZOULIA", BORDEAUX, "96.02A", tranche="21")
OTHER = Invented("80000000100001", "MECHES ET COUPES", BORDEAUX, "96.02A")
PLUMBER = Invented("80000000200001", "VARNIOT ET FILS", MERIGNAC, "43.22A")
HIDDEN = Invented("80000000300001", "MALVERET", MERIGNAC, "43.22A", statut="P")
DINER = Invented("80000000400001", "LA TABLE DE ZOULIA", PAU, "56.10C")
DOCTOR = Invented("80000000500001", "ZEPHIRIN VALOT", PAU, "86.21Z")
SIGN = Invented("80000000600001", "LE PLOMBIER", MERIGNAC, "47.52A")
STORED = (SALON, OTHER, PLUMBER, HIDDEN, DINER, DOCTOR, SIGN)


@pytest.fixture
def trades(finder: Finder, engine: Engine) -> Finder:
    store(engine, STORED)
    finder.invented.update({each.siret: each for each in STORED})
    return finder


@pytest.mark.parametrize(
    ("q", "wanted"),
    [
        ("coiffeur bordeaux", SALON),
        ("coiffeuse à Bordeaux", SALON),
        ("bordeaux coiffeurs", SALON),
        ("salon de coiffure zoulia bordeaux", SALON),
        ("plombier merignac", PLUMBER),
        ("plombier merignca", PLUMBER),
        ("plombiers 33700", PLUMBER),
        ("resto pau", DINER),
        ("médecin pau", DOCTOR),
        ("docteur zephirin", DOCTOR),
        ("médecin", DOCTOR),
    ],
)
def test_a_trade_word_finds_its_activity(trades: Finder, q: str, wanted: Invented) -> None:
    assert wanted.siret in trades.sirets(q, limit=25)


def test_it_says_which_activities_it_found(trades: Finder) -> None:
    found = trades.find("coiffeur bordeaux")
    assert found.understood.activites == {"coiffeur": ["96.02A"]}
    assert list(found.understood.communes) == ["33063"]
    assert not found.understood.left_out
    assert not found.understood.corrected
    assert trades.find("zoulia").understood.activites == {}


def test_a_name_that_is_the_trade_word_comes_first(trades: Finder) -> None:
    assert trades.sirets("plombier merignac") == [SIGN.siret, PLUMBER.siret]
    assert trades.sirets("plombier") == [SIGN.siret, PLUMBER.siret]


def test_activities_come_by_rank(trades: Finder) -> None:
    found = trades.sirets("coiffeur bordeaux", limit=25)
    assert found.index(SALON.siret) < found.index(OTHER.siret)


@pytest.mark.parametrize("more", [{}, {"near": Near(44.84, -0.58, 20)}])
def test_total_and_facets_are_of_the_activity(trades: Finder, more: dict[str, Near]) -> None:
    wanted = {
        each.siret
        for each in trades.invented.values()
        if each.activite == "96.02A" and each.commune is BORDEAUX
    }
    found = trades.find("coiffeur bordeaux", facets=("activite_principale",), **more)
    assert (found.total, found.total_exact) == (len(wanted), True)
    assert dict(found.facets["activite_principale"]) == {"96.02A": len(wanted)}
    assert set(trades.walk("coiffeur bordeaux", limit=3, **more)) == wanted


def test_more_than_the_candidates_are_counted(trades: Finder, engine: Engine) -> None:
    many = [
        Invented(f"81000{at:04}00001", f"ZIG {at}", PAU, "43.22A", tranche="01")
        for at in range(230)
    ]
    store(engine, many)
    found = trades.find("plombier pau", facets=("activite_principale",))
    assert (found.total, found.total_exact) == (230, True)
    assert dict(found.facets["activite_principale"]) == {"43.22A": 230}
    walked = trades.walk("plombier pau", limit=25)
    assert len(walked) == len(set(walked)) == 200


def test_filters_hold_beside_trade_words(trades: Finder) -> None:
    for filters, wanted in (
        (Filters(code_commune=["33281"]), [SIGN, PLUMBER]),
        (Filters(code_commune=["33281"], departement=["64"]), []),
        (Filters(departement=["64"]), []),
        (Filters(activite_principale=["47.52A"]), [SIGN]),
    ):
        found = trades.sirets("plombier", filters=filters)
        assert found == [each.siret for each in wanted]
    assert trades.sirets("plombier merignac", filters=Filters(etat="F")) == []


def test_what_is_published_in_part_is_never_found(trades: Finder) -> None:
    for q in ("plombier merignac", "plombier", "plombier malveret"):
        assert HIDDEN.siret not in trades.sirets(q, limit=25)
    assert trades.find("plombier merignac").total == 2


def test_names_alone_call_no_activity(trades: Finder) -> None:
    assert trades.sirets(nom="plombier") == [SIGN.siret]
