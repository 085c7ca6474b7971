"""Elasticsearch compared with the register: every page and every document, by their digests."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from services.portal.elasticsearch.documents import document_of
from services.portal.elasticsearch.indexes import ShardIndexes
from services.portal.index.check import waiting_pages
from services.portal.index.elasticsearch.places import LOG
from services.portal.index.entries import read_entries
from services.portal.index.rebuild import next_pages
from shared.errors import UserError

_MOST_DOCUMENTS = 5000
_LOOKS = 3
_BETWEEN_LOOKS_SECONDS = 1.0

Digests = Mapping[int, str]


class DigestPair(NamedTuple):
    """The digests of what a page should have, and of its document; None where there is none."""

    id: int
    page: str | None
    document: str | None


@dataclass
class DocumentDifferences:
    """The pages that may be found, the documents, and what sets them apart.

    `waiting` pages have changed since Elasticsearch was brought up to date; they count nowhere.
    """

    pages: int = 0
    documents: int = 0
    missing: int = 0
    surplus: int = 0
    altered: int = 0
    waiting: int = 0

    @property
    def agrees(self) -> bool:
        return not any((self.missing, self.surplus, self.altered))

    def __add__(self, other: "DocumentDifferences") -> "DocumentDifferences":
        names = vars(self)
        return DocumentDifferences(
            **{name: getattr(self, name) + getattr(other, name) for name in names}
        )

    def count(self, pair: DigestPair) -> None:
        page, document = pair.page, pair.document
        if page is None and document is None:
            return
        self.pages += page is not None
        self.documents += document is not None
        self.missing += document is None
        self.surplus += page is None
        self.altered += None not in {page, document} and page != document


def compare_documents(engine: Engine, indexes: ShardIndexes) -> DocumentDifferences:
    """Compare all pages with all documents. Raises ElasticsearchAway, ElasticsearchRefusal.

    There is no snapshot of both: what differs is looked at again before it counts.
    """
    found = DocumentDifferences()
    doubted = _compare_all(engine, indexes, found)
    for look in range(1, _LOOKS + 1):
        if not doubted:
            break
        if look > 1:
            time.sleep(_BETWEEN_LOOKS_SECONDS)
        indexes.refresh(indexes.served)
        with _snapshot(engine) as connection:
            waiting = waiting_pages(connection, LOG)
            pairs = [each for part in _parts(doubted) for each in _pairs(connection, indexes, part)]
        doubted = []
        for each in pairs:
            if each.page == each.document:
                found.count(each)
            elif look < _LOOKS:
                doubted.append(each.id)
            elif each.id in waiting:
                found.waiting += 1
            else:
                found.count(each)
    return found


def _compare_all(engine: Engine, indexes: ShardIndexes, found: DocumentDifferences) -> list[int]:
    """Count what is alike; return the ids of the rest."""
    if indexes.name_of(indexes.served) is None:
        raise UserError("Elasticsearch has no index yet: ./sirenade search rebuild")
    indexes.refresh(indexes.served)
    doubted: list[int] = []
    with _snapshot(engine) as connection:
        after: int | None = 0
        while after is not None:
            ids = list(next_pages(connection, after))
            last = ids[-1] if ids else None
            pages = _pages(connection, ids)
            documents = _documents(indexes, _between(after, last))
            for id_ in pages.keys() | documents.keys():
                pair = DigestPair(id_, pages.get(id_), documents.get(id_))
                if pair.page == pair.document:
                    found.count(pair)
                else:
                    doubted.append(id_)
            after = last
    return sorted(doubted)


def _pairs(
    connection: Connection, indexes: ShardIndexes, ids: Sequence[int]
) -> Iterator[DigestPair]:
    pages, documents = _pages(connection, ids), _documents(indexes, {"terms": {"id": list(ids)}})
    for id_ in ids:
        yield DigestPair(id_, pages.get(id_), documents.get(id_))


def _pages(connection: Connection, ids: Sequence[int]) -> Digests:
    entries = read_entries(connection, ids) if ids else []
    return {each.pro_localisation_id: document_of(each)["digest"] for each in entries}


def _documents(indexes: ShardIndexes, condition: Mapping[str, Any]) -> Digests:
    digests: dict[int, str] = {}
    after = 0
    while True:
        body = {
            "query": {"bool": {"filter": [condition, _between(after, None)]}},
            "size": _MOST_DOCUMENTS,
            "sort": [{"id": "asc"}],
            "_source": ["digest"],
        }
        hits = indexes.server.ask("POST", f"/{indexes.served}/_search", body).json["hits"]["hits"]
        # An empty document has none.
        digests |= {
            int(hit["_id"]): digest for hit in hits if (digest := hit["_source"].get("digest"))
        }
        if len(hits) < _MOST_DOCUMENTS:
            return digests
        after = int(hits[-1]["_id"])


def _between(after: int, last: int | None) -> Mapping[str, Any]:
    return {"range": {"id": {"gt": after} | ({} if last is None else {"lte": last})}}


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(ids), _MOST_DOCUMENTS):
        yield ids[at : at + _MOST_DOCUMENTS]


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="REPEATABLE READ")
