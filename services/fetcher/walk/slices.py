"""A page's records in slices for the writer: each of one shard, and none too large. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.messages import RECORDS_PER_SLICE, WriteSlice
from shared.sharding import route
from shared.sirene.digests import encoded, to_lines
from shared.sirene.identifiers import is_siret, siren_of


@dataclass(frozen=True, slots=True)
class PageSlice:
    """`records` and `digests` are those of `WriteSlice`."""

    shard: int
    records: str
    digests: str


def cut(records: Sequence[object], *, shards: int = 1) -> list[PageSlice]:
    """Cut a page into slices; an empty page is one empty slice, whose writing ends the batch."""
    by_shard: dict[int, list[object]] = {}
    for record in records:
        by_shard.setdefault(_shard_of(record, shards), []).append(record)
    return [
        slice_of(theirs[start : start + RECORDS_PER_SLICE], shard=shard)
        for shard, theirs in sorted(by_shard.items())
        for start in range(0, len(theirs), RECORDS_PER_SLICE)
    ] or [PageSlice(0, "[]", "")]


def slice_of(records: Sequence[object], *, shard: int = 0) -> PageSlice:
    contents, digests = zip(*map(encoded, records), strict=True)
    array = WriteSlice.array_of(contents)
    return PageSlice(shard, array, to_lines(digests, of=array))


def _shard_of(record: object, shards: int) -> int:
    """The first shard for what has no siret: nothing of it can be stored but its fault."""
    siret = record.get("siret") if isinstance(record, dict) else None
    if not isinstance(siret, str) or not is_siret(siret):
        return 0
    return route(siren_of(siret), shards)
