"""Writes have versions: a late one takes the place of nothing newer, and brings nothing back."""

import pytest

from services.portal.elasticsearch.bulk import Operation, WrittenDocuments, write
from services.portal.elasticsearch.documents import Document
from services.portal.elasticsearch.indexes import ShardIndexes
from services.portal.elasticsearch.server import ElasticsearchAway, ElasticsearchRefusal
from tests.integration.portal.elastic import Elastic, Fault, Middleman, found_ids


def _document(name: str, **more: object) -> Document:
    return {"id": 7, "names": [name], "place": [], "filters": [], "rank": 0, **more}


def _no_wait(_seconds: float) -> None:
    pass


def _write(indexes: ShardIndexes, *operations: Operation) -> WrittenDocuments:
    return write(indexes.server, indexes.coming, operations, _no_wait)


@pytest.fixture
def indexes(elastic: Elastic, database_url: str) -> ShardIndexes:
    """Return indexes of which one is made; searched, too, so that its words are found."""
    indexes = elastic.indexes(database_url)
    name = indexes.create()
    actions = [{"add": {"index": name, "alias": indexes.served}}]
    indexes.server.ask("POST", "/_aliases", {"actions": actions})
    return indexes


def test_a_write_of_an_older_version_changes_nothing(indexes: ShardIndexes) -> None:
    _write(indexes, Operation(7, 20, _document("new")))
    _write(indexes, Operation(7, 19, _document("old")))
    assert found_ids(indexes, "names", "new") == [7]
    assert found_ids(indexes, "names", "old") == []


def test_a_late_write_does_not_bring_back_what_was_emptied(indexes: ShardIndexes) -> None:
    _write(indexes, Operation(7, 10, _document("secret")))
    _write(indexes, Operation(7, 20, None))
    for version in (10, 19, 20):
        _write(indexes, Operation(7, version, _document("secret")))
        assert found_ids(indexes, "names", "secret") == []
    _write(indexes, Operation(7, 21, _document("other")))
    assert found_ids(indexes, "names", "other") == [7]


def test_an_empty_document_of_the_same_version_holds(indexes: ShardIndexes) -> None:
    """The erasing transaction's own number is the largest that one can have who did not see it."""
    _write(indexes, Operation(7, 20, _document("secret")))
    _write(indexes, Operation(7, 20, None))
    assert found_ids(indexes, "names", "secret") == []


def test_an_empty_document_that_comes_first_keeps_an_older_write_out(indexes: ShardIndexes) -> None:
    assert _write(indexes, Operation(7, 20, None)) == WrittenDocuments(emptied=1)
    _write(indexes, Operation(7, 19, _document("secret")))
    assert found_ids(indexes, "names", "secret") == []


def test_a_late_empty_document_takes_nothing_newer_away(indexes: ShardIndexes) -> None:
    _write(indexes, Operation(7, 20, _document("new")))
    _write(indexes, Operation(7, 19, None))
    assert found_ids(indexes, "names", "new") == [7]


def test_a_document_that_cannot_be_stored_is_counted_and_its_elder_emptied(
    indexes: ShardIndexes,
) -> None:
    _write(indexes, Operation(7, 10, _document("old")), Operation(8, 10, _document("other")))
    written = _write(
        indexes,
        Operation(7, 20, _document("new", nowhere="x")),
        Operation(8, 20, _document("another")),
    )
    assert written == WrittenDocuments(put=1, refused=1)
    assert found_ids(indexes, "names", "old") == []
    assert found_ids(indexes, "names", "another") == [8]


def test_an_index_that_is_gone_is_not_made_by_a_write(indexes: ShardIndexes) -> None:
    indexes.delete(indexes.served)
    with pytest.raises((ElasticsearchAway, ElasticsearchRefusal)):
        _write(indexes, Operation(7, 10, _document("secret")))
    assert indexes.name_of(indexes.coming) is None
    found = indexes.server.ask("GET", f"/{indexes.coming}", also={404})
    assert found.status == 404


def test_busy_items_alone_are_written_again(
    elastic: Elastic, indexes: ShardIndexes, between: Middleman, database_url: str
) -> None:
    slow = elastic.indexes(database_url, elasticsearch_url=between.url)
    between.faults.append(Fault("_bulk", 429, items=2, times=2))
    operations = [Operation(id_, 5, {**_document("one"), "id": id_}) for id_ in range(1, 6)]
    assert _write(slow, *operations) == WrittenDocuments(put=5)
    lines = [body.count(b"\n") // 2 for body in between.bodies("_bulk")]
    assert lines == [5, 2, 2]
    assert found_ids(indexes, "names", "one") == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("indexes")
def test_items_that_stay_busy_are_not_confirmed(
    elastic: Elastic, between: Middleman, database_url: str
) -> None:
    slow = elastic.indexes(database_url, elasticsearch_url=between.url)
    between.faults.append(Fault("_bulk", 503, items=1, times=50))
    with pytest.raises(ElasticsearchAway, match="busy"):
        _write(slow, Operation(1, 5, _document("one")))
    assert len(between.bodies("_bulk")) == 4


@pytest.mark.usefixtures("indexes")
def test_a_request_that_is_too_large_is_halved(
    elastic: Elastic, between: Middleman, database_url: str
) -> None:
    slow = elastic.indexes(database_url, elasticsearch_url=between.url)
    between.faults.append(Fault("_bulk", 413, times=1))
    operations = [Operation(id_, 5, {**_document("one"), "id": id_}) for id_ in range(1, 6)]
    assert _write(slow, *operations) == WrittenDocuments(put=5)
    assert [body.count(b"\n") // 2 for body in between.bodies("_bulk")] == [5, 2, 3]
    between.faults.append(Fault("_bulk", 413, times=1))
    with pytest.raises(ElasticsearchRefusal, match="413"):
        _write(slow, Operation(1, 9, _document("one")))
