"""The page of an establishment: what it shows, its address, and when a client has it already."""

import json
from html.parser import HTMLParser

import pytest

from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk, ShardUrls
from tests.integration.writer.records import Records
from tests.portals import Portal, running_portal

ON_TWO_SHARDS = True
_SIRET = "00000000100001"
_SLUG = f"le-fournil-bordeaux-{_SIRET}"


class ReadPage(HTMLParser):
    """The links, metadata and JSON-LD of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.metas: dict[str, str] = {}
        self.canonical = ""
        self.json_ld: list[dict[str, object]] = []
        self.scripts = 0
        self._in_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(found["href"])
        elif tag == "meta" and "name" in found:
            self.metas[found["name"]] = found["content"]
        elif tag == "link" and found.get("rel") == "canonical":
            self.canonical = found["href"]
        elif tag == "script":
            self.scripts += 1
            assert found == {"type": "application/ld+json"}
            self._in_script = True

    def handle_endtag(self, tag: str) -> None:
        self._in_script &= tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.json_ld.append(json.loads(data))


@pytest.fixture
def _bakery(desk: Desk, records: Records) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    publish(desk)


@pytest.mark.usefixtures("_bakery")
def test_a_page_shows_facts_text_label_and_json_ld(portal: Portal) -> None:
    answer = portal.get(f"/pages/{_SLUG}")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = ReadPage(answer.text)
    for words in ("<h1>Le Fournil</h1>", "Un texte sur LE FOURNIL.", "Notice générée."):
        assert words in answer.text
    assert "000 000 001 00001" in answer.text
    assert page.canonical == f"{portal.address}/pages/{_SLUG}"
    assert "robots" not in page.metas
    business, work = page.json_ld
    assert (business["@type"], business["name"]) == ("LocalBusiness", "Le Fournil")
    assert (work["@type"], work["text"]) == ("CreativeWork", "Un texte sur LE FOURNIL.")
    for link in (
        "/communes/33063/10.71C",
        f"/signaler/{_SIRET}",
        f"/opposition/{_SIRET}",
        "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
    ):
        assert link in page.links
    assert len(answer.body) < 30_000


@pytest.mark.usefixtures("_bakery")
def test_a_client_that_has_the_page_gets_304_until_a_row_changes(
    portal: Portal, desk: Desk, records: Records
) -> None:
    first = portal.get(f"/pages/{_SLUG}")
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    again = portal.get(f"/pages/{_SLUG}", If_None_Match=f'"other", W/{etag}')
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    desk.import_(records.record(1, enseigne="LE FOURNIL", treated="2026-02-01T00:00:00"))
    assert portal.get(f"/pages/{_SLUG}").body == first.body
    changed = records.record(
        1, enseigne="LE FOURNIL", activite="56.10A", treated="2026-03-01T00:00:00"
    )
    desk.import_(changed)
    newer = portal.get(f"/pages/{_SLUG}", If_None_Match=etag)
    assert newer.status == 200
    assert newer.headers["etag"] != etag
    assert "Restauration traditionnelle" in newer.text


@pytest.mark.usefixtures("_bakery")
def test_the_cache_answers_while_the_rows_are_as_they_were(portal: Portal) -> None:
    bodies = {portal.get(f"/pages/{_SLUG}").body for _ in range(5)}
    assert len(bodies) == 1
    value = portal.parts.metrics.registry.get_sample_value
    assert value("sirenade_portal_pages_total", {"source": "rows"}) == 1
    assert value("sirenade_portal_pages_total", {"source": "cache"}) == 4


@pytest.mark.usefixtures("_bakery")
def test_any_slug_that_ends_with_the_siret_leads_to_the_page(portal: Portal) -> None:
    for slug in (_SIRET, f"autre-nom-{_SIRET}", f"etablissement-bordeaux-{_SIRET}"):
        answer = portal.get(f"/pages/{slug}")
        assert (answer.status, answer.headers["location"]) == (301, f"/pages/{_SLUG}")
        # A browser keeps a redirect for good where nothing says otherwise.
        assert answer.headers["cache-control"] == "no-cache"
    for slug in ("le-fournil", "le-fournil-99999999900001", f"%00{_SIRET}"):
        assert portal.get(f"/pages/{slug}").status == 404


@pytest.mark.usefixtures("_bakery")
def test_a_slug_of_before_leads_to_the_page(portal: Portal, desk: Desk, records: Records) -> None:
    renamed = records.record(1, enseigne="AU BON PAIN", treated="2026-02-01T00:00:00")
    desk.import_(renamed)
    answer = portal.get(f"/pages/{_SLUG}")
    moved = f"/pages/au-bon-pain-bordeaux-{_SIRET}"
    assert (answer.status, answer.headers["location"]) == (301, moved)


@pytest.mark.usefixtures("_bakery")
def test_a_closed_page_is_gone_and_a_duplicate_leads_to_the_other(
    portal: Portal, desk: Desk, records: Records
) -> None:
    desk.import_(records.record(2, enseigne="LE JUMEAU"))
    desk.import_(records.record(1, enseigne="LE FOURNIL", etat="F", treated="2026-02-01T00:00:00"))
    gone = portal.get(f"/pages/{_SLUG}")
    assert gone.status == 410
    assert "n’existe plus" in gone.text
    other = "00000000200002"
    desk.execute(
        "INSERT INTO page_redirects (slug, siret, siren, to_siret)"
        " VALUES (:slug, :siret, left(:siret, 9), :other)",
        slug=_SLUG,
        siret=_SIRET,
        other=other,
    )
    answer = portal.get(f"/pages/{_SLUG}")
    location = f"/pages/le-jumeau-bordeaux-{other}"
    assert (answer.status, answer.headers["location"]) == (301, location)


def test_a_page_without_a_text_is_not_for_search_engines(
    portal: Portal, desk: Desk, records: Records
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    assert ReadPage(portal.get(f"/pages/{_SLUG}").text).metas["robots"] == "noindex"


def test_a_sole_trader_is_for_search_engines_where_it_is_allowed(
    desk: Desk, records: Records, shard_urls: ShardUrls
) -> None:
    person = {
        "categorieJuridiqueUniteLegale": "1000",
        "denominationUniteLegale": None,
        "nomUniteLegale": "ZORGLUB",
        "prenom1UniteLegale": "HERMELINE",
        "prenomUsuelUniteLegale": "HERMELINE",
    }
    record = records.record(1, unite=person)
    record["adresseEtablissement"]["libelleVoieEtablissement"] = "DES CRAPAUDS"
    desk.import_(record, sole_traders=True)
    desk.execute(
        "UPDATE avis SET outcome = 'accepted', text = 't', label = 'l', display_name = 'd',"
        " json_ld = '{}', accepted_at = now()"
    )
    for allowed in (False, True):
        with running_portal(*shard_urls, portal_index_sole_traders=allowed) as portal:
            answer = portal.get(f"/pages/hermeline-zorglub-bordeaux-{_SIRET}")
            assert "<h1>Hermeline Zorglub</h1>" in answer.text
            assert "CRAPAUDS" not in answer.text.upper()
            assert ("robots" not in ReadPage(answer.text).metas) == allowed


def test_who_objects_at_insee_is_reached_by_number_and_shown_masked(
    portal: Portal, desk: Desk, records: Records
) -> None:
    record = records.record(1, enseigne="LE FOURNIL", statut="P")
    record["adresseEtablissement"]["libelleVoieEtablissement"] = "DES CRAPAUDS"
    desk.import_(record)
    answer = portal.get(f"/pages/{_SIRET}")
    assert answer.status == 301
    page = portal.get(answer.headers["location"])
    assert page.status == 200
    for word in ("FOURNIL", "CRAPAUDS", "ATELIER"):
        assert word not in page.text.upper()
    assert "Diffusion partielle" in page.text
    read = ReadPage(page.text)
    assert read.metas["robots"] == "noindex"
    assert read.json_ld == []


def test_former_signs_are_told_of_companies(portal: Portal, desk: Desk, records: Records) -> None:
    record = records.record(1, enseigne="LE FOURNIL")
    [period] = record["periodesEtablissement"]
    period["dateDebut"] = "2021-01-01"
    before = period | {"dateDebut": "2015-01-01", "dateFin": "2020-12-31"}
    before["enseigne1Etablissement"] = "CHEZ LEON"
    record["periodesEtablissement"].append(before)
    record["nombrePeriodesEtablissement"] = 2
    desk.import_(record)
    text = portal.get(f"/pages/{_SLUG}").text
    assert "Son histoire" in text
    assert text.index("depuis le 1er janvier 2021") < text.index("depuis le 1er janvier 2015")


def test_the_home_page_robots_and_assets(portal: Portal) -> None:
    home = portal.get("/")
    assert home.status == 200
    assert 'action="/recherche"' in home.text
    robots = portal.get("/robots.txt").text
    assert f"Sitemap: {portal.address}/sitemap.xml" in robots
    for path in portal.parts.documents.assets:
        asset = portal.get(path)
        assert asset.status == 200
        assert "immutable" in asset.headers["cache-control"]
    assert portal.get("/nulle-part").status == 404
    assert portal.get("/nulle-part", Accept="application/json").headers["content-type"] == (
        "application/problem+json"
    )
