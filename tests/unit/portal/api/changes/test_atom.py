"""The feed is XML whatever stands in an address."""

import datetime as dt
from xml.etree import ElementTree as ET

from services.portal.api.changes.atom import FeedHead, feed
from services.portal.api.models import Changement

_AT = dt.datetime(2026, 8, 5, 12, 0, tzinfo=dt.UTC)
_NAMES = {"a": "http://www.w3.org/2005/Atom"}


def _feed(*changes: Changement) -> ET.Element:
    day = dt.date(2026, 8, 5)
    head = FeedHead("https://h", "/api/v1/changements.atom", "812.7", "Insee, Sirene", day)
    return ET.fromstring(feed(changes, head))  # noqa: S314  our own


def test_each_change_is_an_entry_and_the_next_page_is_linked() -> None:
    page = '/pages/a&b<"\x01-1'
    root = _feed(
        Changement(id="810.1", genre="changed", siret="1" * 14, change_le=_AT, page=page),
        Changement(id="812.7", genre="erased", siret="2" * 14, change_le=_AT),
    )
    first, second = root.findall("a:entry", _NAMES)
    link = first.find("a:link", _NAMES)
    assert link is not None
    assert link.get("href") == 'https://h/pages/a&b<"-1'
    assert second.find("a:link", _NAMES) is None
    assert "2" * 14 in (second.findtext("a:title", "", _NAMES))
    (following,) = [each for each in root.findall("a:link", _NAMES) if each.get("rel") == "next"]
    assert following.get("href") == "https://h/api/v1/changements.atom?depuis=812.7"
    assert root.findtext("a:rights", "", _NAMES) == "Insee, Sirene, à jour au 2026-08-05"


def test_a_feed_without_changes_is_a_feed() -> None:
    assert _feed().findall("a:entry", _NAMES) == []
