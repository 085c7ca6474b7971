"""R9: a name that a stranger chose is text everywhere: HTML, JSON-LD, XML."""

import gzip
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from services.simulator.generation.vocabulary import STRANGE_NAMES
from shared.controls import without_controls
from tests.integration.portal.pages.test_pages import ReadPage
from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import Portal

_NAMES = [
    *STRANGE_NAMES,
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "&lt;b&gt; &amp; &#39; ]]>",
    "</title><h1>",
]
_NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.title = ""
        self._in_title = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)
        self._in_title = tag == "h1"

    def handle_endtag(self, tag: str) -> None:
        self._in_title &= tag != "h1"

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""


@pytest.fixture
def _strangers(desk: Desk, records: Records) -> None:
    desk.import_(
        *(records.record(n, unite={"denominationUniteLegale": nom})
          for n, nom in enumerate(_NAMES, start=1))
    )  # fmt: skip
    publish(desk)


@pytest.mark.usefixtures("_strangers")
def test_strange_names_are_text(desk: Desk, portal: Portal) -> None:
    pages = desk.execute("SELECT slug, nom, siret FROM pro_localisations ORDER BY siret")
    assert len(pages) == len(_NAMES)
    plain: dict[bool, list[str]] = {}
    for page in pages:
        answer = portal.get(f"/pages/{page['slug']}")
        assert answer.status == 200, page
        read, seen = ReadPage(answer.text), _Tags(answer.text)
        is_named = page["nom"] is not None
        # Each page has the elements of any other, whatever its name is.
        tags = [tag for tag in seen.tags if tag not in {"div", "dt", "dd"}]
        assert tags == plain.setdefault(is_named, tags), page
        printed = answer.text.replace("\n", "")
        assert without_controls(printed) == printed
        if is_named:
            business, work = read.json_ld
            assert seen.title == business["name"]
            assert str(work["text"]) in unescape(answer.text)


@pytest.mark.usefixtures("_strangers")
def test_the_sitemap_is_sound_xml(desk: Desk, portal: Portal) -> None:
    index = ET.fromstring(portal.get("/sitemap.xml").body)  # noqa: S314  our own
    [file] = [each.text or "" for each in index.iter(f"{_NAMESPACE}loc")]
    content = gzip.decompress(portal.get(file.removeprefix(portal.address)).body)
    listed = {each.text for each in ET.fromstring(content).iter(f"{_NAMESPACE}loc")}  # noqa: S314
    named = desk.execute("SELECT slug FROM pro_localisations WHERE nom IS NOT NULL")
    assert listed == {f"{portal.address}/pages/{row['slug']}" for row in named}
