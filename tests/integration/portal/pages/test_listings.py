"""Searches and lists show what is found, in its order, and nothing that may not be shown."""

import re

import pytest

from services.portal.index import prefixes, rebuild
from services.writer.erasure.oppositions import forget
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import Portal

ON_TWO_SHARDS = True
_NAMES = ("BOULANGERIE DUPONT", "BOULANGERIE DURAND", "GARAGE DES FLEURS")


def index(desk: Desk) -> None:
    """Put all pages into the index, as `search rebuild` does."""
    for engine in desk.shards:
        rebuild.begin(engine)
        while (step := rebuild.step(engine)) is not None and not step.is_last:
            pass
        prefixes.renew(engine)


def hits(text: str) -> list[str]:
    return re.findall(r'<h2><a href="/pages/[^"]+">([^<]+)</a></h2>', text)


@pytest.fixture
def _places(desk: Desk, records: Records) -> None:
    made = [
        records.record(
            n,
            unite={"denominationUniteLegale": name},
            activite="45.20A" if name.startswith("GARAGE") else "10.71C",
        )
        for n, name in enumerate(_NAMES, start=1)
    ]
    masked = records.record(9, statut="P", unite={"denominationUniteLegale": "BOULANGERIE MASQUEE"})
    desk.import_(*made, masked)
    index(desk)


@pytest.mark.usefixtures("_places")
def test_a_misspelt_name_is_found_and_the_reading_is_told(portal: Portal) -> None:
    answer = portal.get("/recherche?q=boulangerie+dupond+bordeaux")
    assert answer.status == 200
    assert hits(answer.text) == ["Boulangerie Dupont"]
    assert "«&nbsp;dupond&nbsp;» lu «&nbsp;dupont&nbsp;»" in answer.text
    assert 'content="noindex"' in answer.text
    # The words of a search stay between the reader and the portal.
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.usefixtures("_places")
def test_a_trade_word_finds_its_activity_and_this_is_told(portal: Portal) -> None:
    answer = portal.get("/recherche?q=garagistes+bordeaux")
    assert hits(answer.text) == ["Garage des Fleurs"]
    told = (
        "garagistes&nbsp;»&nbsp;: activité Entretien et réparation de véhicules automobiles légers."
    )
    assert told in answer.text


@pytest.mark.usefixtures("_places")
def test_a_siret_leads_to_its_page_and_nothing_found_says_so(portal: Portal) -> None:
    answer = portal.get("/recherche?q=000+000+001+00001")
    assert (answer.status, answer.headers["location"]) == (303, "/pages/00000000100001")
    assert "Aucun résultat" in portal.get("/recherche?q=zorglub").text
    assert portal.get("/recherche").status == 200
    assert portal.get("/recherche?q=x&curseur=nonsense").status == 400


@pytest.mark.usefixtures("_places")
def test_a_commune_lists_its_trades_and_a_trade_its_places(portal: Portal) -> None:
    commune = portal.get("/communes/33063").text
    assert set(hits(commune)) == {"Boulangerie Dupont", "Boulangerie Durand", "Garage des Fleurs"}
    assert 'href="/communes/33063/10.71C"' in commune
    trade = portal.get("/communes/33063/10.71C")
    assert set(hits(trade.text)) == {"Boulangerie Dupont", "Boulangerie Durand"}
    assert "2 établissements" in trade.text
    assert hits(portal.get("/communes/33063/56.10A").text) == []
    for path in ("/communes/99999", "/communes/33063/99.99X", "/communes/x"):
        assert portal.get(path).status == 404


@pytest.mark.usefixtures("_places")
def test_an_erased_name_is_in_no_list_before_any_indexer_runs(desk: Desk, portal: Portal) -> None:
    paths = ("/recherche?q=boulangerie+dupont", "/communes/33063", "/communes/33063/10.71C")
    for path in paths:
        assert "Boulangerie Dupont" in hits(portal.get(path).text)
    forget(desk.home_of({"siret": "00000000100001"}), "000000001", reason="test", force=True)
    for path in paths:
        assert "Boulangerie Dupont" not in hits(portal.get(path).text), path


def test_a_list_goes_on_by_its_cursor(desk: Desk, records: Records, portal: Portal) -> None:
    desk.import_(*(records.record(n) for n in range(1, 61)))
    index(desk)
    path, seen = "/communes/33063/10.71C", list[str]()
    while path:
        text = portal.get(path).text
        seen += hits(text)
        following = re.search(r'<a class="button" href="([^"]+)" rel="next">', text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen)) == 60
