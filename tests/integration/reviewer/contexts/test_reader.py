"""Other rows are told only where they may be believed, and name nobody."""

import datetime as dt
from typing import Any

import orjson
import pytest

from shared.clock import utc_now
from shared.days import day_in_france
from shared.db.tables import etablissements, unites_legales
from shared.sirene.context import NO_CONTEXT, Former
from tests.integration.reviewer.conftest import Desk, Register
from tests.integration.reviewer.contexts.conftest import Contexts

_MONTH = day_in_france(utc_now()).replace(day=1)


def _link(register: Register, before: int, after: int, **values: Any) -> None:
    row = {"day": dt.date(2020, 1, 1), "seat": False, "goes_on": True} | values
    register.execute(
        "INSERT INTO successions (siret_predecesseur, siret_successeur, date_lien_succession,"
        " transfert_siege, continuite_economique) VALUES (:before, :after, :day, :seat, :goes_on)",
        before=f"{register.siren(before)}00011",
        after=f"{register.siren(after)}00011",
        **row,
    )


def test_a_half_loaded_register_says_nothing(register: Register, contexts: Contexts) -> None:
    [avis_id, _] = register.add(range(1, 3))
    assert contexts.of(avis_id) == NO_CONTEXT
    contexts.certify(activites=["43.32A"])
    assert contexts.of(avis_id) == NO_CONTEXT


def test_a_complete_commune_tells_the_trade_and_not_the_sites(
    register: Register, contexts: Contexts
) -> None:
    [avis_id, *_] = register.add(range(1, 4))
    register.change(unites_legales, register.siren(2), statut_diffusion="P")
    register.change(etablissements, register.siren(2), statut_diffusion="P")
    register.change(etablissements, register.siren(3), tranche_effectifs="NN")
    contexts.certify(communes=["33063"], etat_administratif="A")
    context = contexts.of(avis_id)
    assert context.sites is None
    assert context.trade is not None
    assert (context.trade.etablissements, context.trade.with_employees) == (3, 2)
    assert (context.trade.month, context.trade.rank) == (_MONTH, None), "all began on one day"


def test_the_first_three_of_a_small_trade_have_their_rank(
    register: Register, contexts: Contexts
) -> None:
    ids = register.add(range(1, 6))
    for number in range(1, 6):
        day = dt.date(2000 + number, 1, 1)
        register.change(etablissements, register.siren(number), date_creation=day)
    contexts.certify(departements=["33"])
    trades = [contexts.of(avis_id).trade for avis_id in ids]
    assert [trade and trade.rank for trade in trades] == [1, 2, 3, None, None]
    register.change(etablissements, register.siren(5), date_creation=None)
    trade = contexts.of(ids[0]).trade
    assert trade is not None
    assert trade.rank is None, "one without a date may be the oldest"


def test_a_complete_register_tells_the_sites_of_a_unit(
    register: Register, contexts: Contexts
) -> None:
    [avis_id] = register.add(range(1, 2))
    contexts.add_site(1, code_commune="72181")
    contexts.add_site(1, siret="00000000100037", nic="00037", etat_administratif="F")
    contexts.certify(etat_administratif="A")
    assert contexts.of(avis_id).sites is None, "nobody has counted the closed ones"
    contexts.certify()
    sites = contexts.of(avis_id).sites
    assert sites is not None
    assert (sites.open, sites.closed, sites.communes, sites.month) == (2, 1, 2, _MONTH)


@pytest.mark.parametrize(
    "hidden",
    [
        {"statut_diffusion": "P"},
        {"categorie_juridique": "1000"},
        {"categorie_juridique": None},
        {"unite_purgee": True},
    ],
)
def test_a_succession_names_no_person_and_nobody_who_is_masked(
    register: Register, contexts: Contexts, hidden: dict[str, Any]
) -> None:
    [before, _] = register.add(range(1, 3))
    _link(register, 1, 2)
    [link] = contexts.of(before).successors
    assert (link.siret, link.same_unit, link.continuite_economique) == (
        "00000000200011",
        False,
        True,
    )
    assert (link.commune, link.voie) == (None, None)
    register.change(unites_legales, register.siren(2), **hidden)
    assert contexts.of(before) == NO_CONTEXT


def test_an_opposed_or_unknown_successor_and_a_link_ahead_are_not_told(
    register: Register, contexts: Contexts
) -> None:
    [before, _] = register.add(range(1, 3))
    _link(register, 1, 3)
    _link(register, 1, 2, day=dt.date(2099, 1, 1))
    assert contexts.of(before) == NO_CONTEXT
    _link(register, 1, 2)
    register.oppose(register.siren(2))
    assert contexts.of(before) == NO_CONTEXT


def test_a_move_tells_commune_and_street_it_came_from(
    register: Register, contexts: Contexts
) -> None:
    [avis_id] = register.add(range(1, 2))
    contexts.add_site(
        1,
        etat_administratif="F",
        code_commune="72181",
        libelle_commune="LE MANS",
        numero_voie="12",
        type_voie="RUE",
        libelle_voie="DES TILLEULS",
    )
    register.execute(
        "INSERT INTO successions VALUES ('00000000100029', '00000000100011', '2020-01-01', true)"
    )
    [link] = contexts.of(avis_id).predecessors
    assert (link.same_unit, link.transfert_siege) == (True, True)
    assert (link.commune, link.voie) == ("Le Mans", "12 rue des Tilleuls")


def test_a_former_sign_is_told_of_a_company_and_not_of_a_person(
    register: Register, contexts: Contexts, desk: Desk
) -> None:
    [avis_id] = register.add(range(1, 2))
    contexts.add_periods(1, "LE ZINC", None)
    contexts.count_periods(2)
    former = Former(value="LE ZINC", until=dt.date(2011, 1, 1))
    assert contexts.of(avis_id).former_enseignes == (former,)
    desk.describe = contexts.reader.describe
    desk.store(*desk.claim([avis_id]))
    [kept] = register.rows("SELECT facts -> 'context' AS context FROM avis_attempts")
    assert kept["context"] == {"former_enseignes": [{"value": "LE ZINC", "until": "2011-01-01"}]}
    assert orjson.dumps(kept["context"])
    register.change(unites_legales, register.siren(1), categorie_juridique="1000")
    assert contexts.of(avis_id) == NO_CONTEXT
