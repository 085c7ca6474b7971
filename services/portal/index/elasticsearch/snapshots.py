"""Pages read for Elasticsearch, each group in one snapshot of its shard, with its version."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from services.portal.elasticsearch.bulk import Operation
from services.portal.elasticsearch.documents import document_of
from services.portal.index import cursors, rebuild
from services.portal.index.elasticsearch.places import LOG
from services.portal.index.entries import read_entries
from shared import page_changes
from shared.page_changes import ChangeKind, Cursor, CursorLost

BATCH = 1000
_MOST_AHEAD = 50_000

_ONE_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


class ChangedPages(NamedTuple):
    """The pages of the next changes, the number of these, and the place behind them."""

    operations: Sequence[Operation]
    number: int
    next: Cursor


class NextPages(NamedTuple):
    """The next pages in the order of their ids, and the last id that was looked at."""

    operations: Sequence[Operation]
    number: int
    last: int


def read_changes(connection: Connection) -> ChangedPages:
    """Read the pages of the next changes.

    Raises CursorLost where nobody knows what Elasticsearch lacks.
    """
    with connection.begin():
        connection.execute(_ONE_SNAPSHOT)
        place = cursors.read(connection, LOG)
        if place is None or place.position is None:
            raise CursorLost("Elasticsearch was never told of a change")
        found = page_changes.read(connection, Cursor.parse(place.position), BATCH)
        # A text is not searched in.
        told = (each for each in found.rows if each.kind is not ChangeKind.TEXT)
        ids = list(dict.fromkeys(each.pro_localisation_id for each in told))
        return ChangedPages(operations_of(connection, ids), len(found.rows), found.next)


def read_erasures(connection: Connection) -> Mapping[Cursor, Operation]:
    """Read the erasures that the order of the log holds back, each as an empty document."""
    with connection.begin():
        held = page_changes.held_erasures(connection, _MOST_AHEAD)
    # The erasing transaction is later than all that others have seen under its number.
    return {each: Operation(each.pro_localisation_id, each.xid, None) for each in held}


def read_pages(connection: Connection, after: int) -> NextPages:
    """Read the next pages that may be found."""
    with connection.begin():
        connection.execute(_ONE_SNAPSHOT)
        ids = list(rebuild.next_pages(connection, after))
        operations = operations_of(connection, ids) if ids else []
        put = [each for each in operations if each.document is not None]
        return NextPages(put, len(ids), ids[-1] if ids else after)


def operations_of(connection: Connection, ids: Sequence[int]) -> Sequence[Operation]:
    """Return what makes these pages in Elasticsearch what they are in this snapshot."""
    version = page_changes.oldest_open(connection)
    entries = read_entries(connection, ids) if ids else []
    documents = {each.pro_localisation_id: document_of(each) for each in entries}
    return [Operation(id_, version, documents.get(id_)) for id_ in ids]
