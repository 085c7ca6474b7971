"""The feed of changes as Atom (RFC 4287). Pure."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from services.portal.api.models import Changement

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_TITLES = {
    "opened": "Page ouverte",
    "changed": "Page modifiée",
    "closed": "Établissement fermé",
    "erased": "Données effacées",
    "text": "Texte modifié",
}
# XML 1.0 has no way to write these.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FeedHead(NamedTuple):
    """The head of a feed: where it is, what comes after it, where its data come from."""

    base_url: str
    path: str
    following: str
    source: str
    day: dt.date | None

    @property
    def address(self) -> str:
        return self.base_url + self.path

    @property
    def rights(self) -> str:
        return self.source if self.day is None else f"{self.source}, à jour au {self.day}"


def feed(changes: Sequence[Changement], head: FeedHead) -> bytes:
    """Return the feed; its link `next` leads to what comes after these changes."""
    address = head.address
    updated = changes[-1].change_le if changes else dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    entries = "".join(_entry(each, address, head.base_url) for each in changes)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr">'
        "<title>Changements du répertoire</title>"
        f"<id>{_text(address)}</id><updated>{_instant(updated)}</updated>"
        f"<author><name>{_text(head.source)}</name></author>"
        f"<rights>{_text(head.rights)}</rights>"
        f'<link rel="self" href={quoteattr(address)}/>'
        f'<link rel="next" href={quoteattr(f"{address}?depuis={head.following}")}/>'
        f"{entries}</feed>"
    ).encode()


def _entry(change: Changement, address: str, base_url: str) -> str:
    link = f"<link href={_quoted(base_url + change.page)}/>" if change.page else ""
    title = f"{_TITLES[change.genre]} : {change.siret}"
    return (
        f"<entry><id>{_text(f'{address}#{change.id}')}</id><title>{_text(title)}</title>"
        f"<updated>{_instant(change.change_le)}</updated><category term={quoteattr(change.genre)}/>"
        f"{link}<summary>{_text(title)}</summary></entry>"
    )


def _instant(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _quoted(value: str) -> str:
    return quoteattr(_UNWRITABLE.sub("", value))


def _text(value: str) -> str:
    return escape(_UNWRITABLE.sub("", value))
