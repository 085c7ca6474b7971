"""The slices of a page for the writer, each of one shard and of bounded size. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.messages import RECORDS_PER_SLICE, WriteSlice
from shared.sharding import route
from shared.sirene.digests import encoded, to_lines
from shared.sirene.identifiers import is_siret, siren_of


@dataclass(frozen=True, slots=True)
class PageSlice:
    """The `records` and `digests` of a WriteSlice, and its shard."""

    shard: int
    records: str
    digests: str


def cut_page(records: Sequence[object], *, shards: int = 1) -> list[PageSlice]:
    """Cut a page into slices; an empty page is one empty slice, which ends its batch."""
    by_shard: dict[int, list[object]] = {}
    for record in records:
        by_shard.setdefault(_shard_of(record, shards), []).append(record)
    return [
        slice_of(of_shard[start : start + RECORDS_PER_SLICE], shard=shard)
        for shard, of_shard in sorted(by_shard.items())
        for start in range(0, len(of_shard), RECORDS_PER_SLICE)
    ] or [PageSlice(0, "[]", "")]


def slice_of(records: Sequence[object], *, shard: int = 0) -> PageSlice:
    """Make one slice of records, at least one."""
    contents, digests = zip(*map(encoded, records), strict=True)
    array = WriteSlice.array_of(contents)
    return PageSlice(shard, array, to_lines(digests, of=array))


def _shard_of(record: object, shards: int) -> int:
    """Return the first shard for a record without a siret: only its failure can be stored."""
    siret = record.get("siret") if isinstance(record, dict) else None
    if not isinstance(siret, str) or not is_siret(siret):
        return 0
    return route(siren_of(siret), shards)
