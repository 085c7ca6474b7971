"""Documents written many at a time, each with its version; that of an erased page is empty.

A version is the number of the oldest transaction that was open when the page was read. Whoever has
not seen what transaction T did has a version of at most T, and T itself is handled under a larger
one. So no late write takes the place of a newer one, and none brings an erased page back.
Elasticsearch forgets the version of what is deleted, after a minute or a restart: an empty document
stays, which no word finds. A rebuild leaves it out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
import structlog

from services.portal.elasticsearch.documents import Document
from services.portal.elasticsearch.server import ElasticsearchAway, ElasticsearchServer
from shared.backoff import doubling

log = structlog.get_logger()

_MOST_BYTES = 4_000_000
_TRIES = 4
_FIRST_WAIT_SECONDS = 0.25
_TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

Wait = Callable[[float], object]


@dataclass(frozen=True, slots=True)
class Operation:
    """A page as it must be in the index: its document, or None where it must not be found."""

    id: int
    version: int
    document: Document | None

    def lines(self, alias: str) -> bytes:
        # An empty one holds against a document of the same version, and not the other way round.
        kind = "external_gte" if self.document is None else "external"
        head = {
            "_index": alias,
            "_id": str(self.id),
            "version": self.version,
            "version_type": kind,
        }
        document = {"id": self.id} if self.document is None else self.document
        return b"".join(orjson.dumps(part) + b"\n" for part in ({"index": head}, document))


@dataclass
class WrittenDocuments:
    """The documents that a call wrote; `refused` ones cannot be stored, and are empty."""

    put: int = 0
    emptied: int = 0
    refused: int = 0

    def add(self, other: "WrittenDocuments") -> None:
        self.put += other.put
        self.emptied += other.emptied
        self.refused += other.refused


def write(
    server: ElasticsearchServer, alias: str, operations: Sequence[Operation], wait: Wait
) -> WrittenDocuments:
    """Write all operations behind an alias; what a newer version forbids is done already.

    Raises ElasticsearchAway where an operation is not confirmed: all may be written again.
    """
    done = WrittenDocuments()
    for part in _parts(alias, operations):
        refused = _write_part(server, alias, part, wait, done)
        if refused:
            # An older document of the page may still be there.
            gone = [Operation(each.id, each.version, None) for each in refused]
            if _write_part(server, alias, gone, wait, WrittenDocuments()):
                raise ElasticsearchAway("refuses an empty document")
            done.refused += len(refused)
    return done


def _parts(alias: str, operations: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    part: list[Operation] = []
    size_bytes = 0
    for each in operations:
        each_bytes = len(each.lines(alias))
        if part and size_bytes + each_bytes > _MOST_BYTES:
            yield part
            part, size_bytes = [], 0
        part.append(each)
        size_bytes += each_bytes
    if part:
        yield part


def _write_part(
    server: ElasticsearchServer,
    alias: str,
    operations: Sequence[Operation],
    wait: Wait,
    done: WrittenDocuments,
) -> Sequence[Operation]:
    """Write until each operation is done or refused; return the refused ones."""
    refused: list[Operation] = []
    left = operations
    for tries in range(_TRIES):
        if tries:
            wait(doubling(_FIRST_WAIT_SECONDS, tries - 1))
        items = _send(server, alias, left)
        if items is None:
            half = len(left) // 2
            for part in (left[:half], left[half:]):
                refused += _write_part(server, alias, part, wait, done)
            return refused
        busy = []
        for each, item in zip(left, items, strict=True):
            match _verdict(each, item):
                case "done":
                    done.put += each.document is not None
                    done.emptied += each.document is None
                case "refused":
                    refused.append(each)
                case "busy":
                    busy.append(each)
        left = busy
        if not left:
            return refused
    raise ElasticsearchAway("is too busy to write")


def _send(
    server: ElasticsearchServer, alias: str, operations: Sequence[Operation]
) -> Sequence[Any] | None:
    """Return the result of each operation; None where they are too many for one request."""
    answer = server.send(
        "POST",
        "/_bulk?require_alias=true",
        b"".join(each.lines(alias) for each in operations),
        "application/x-ndjson",
        also={_TOO_LARGE} if len(operations) > 1 else (),
    )
    if answer.status == _TOO_LARGE:
        return None
    items = answer.json.get("items") if isinstance(answer.json, dict) else None
    if not isinstance(items, list) or len(items) != len(operations):
        raise ElasticsearchAway("answers no result of each document")
    return [next(iter(item.values()), {}) for item in items]


def _verdict(operation: Operation, item: Any) -> str:
    status, error = item.get("status", 0), item.get("error")
    if status in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.CONFLICT}:
        return "done"
    if status == HTTPStatus.NOT_FOUND:
        raise ElasticsearchAway("has lost the index that is written")
    if status == HTTPStatus.BAD_REQUEST and operation.document is not None:
        kind = error.get("type", "") if isinstance(error, dict) else ""
        log.warning("Elasticsearch cannot store a page", page=operation.id, error=str(kind)[:60])
        return "refused"
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "busy"
    raise ElasticsearchAway(f"answers status {status} to a document")
