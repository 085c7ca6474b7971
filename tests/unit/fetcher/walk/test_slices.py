"""A page is cut into slices of one shard each, and no record is lost or repeated."""

from collections import Counter

import orjson
import pytest

from services.fetcher.walk.slices import cut_page
from shared.messages import RECORDS_PER_SLICE
from shared.sharding import route


def page(records: int) -> list[object]:
    return [{"siret": f"{number:09d}00011", "rank": number} for number in range(records)]


def test_one_shard_is_cut_in_the_order_of_the_page() -> None:
    slices = cut_page(page(2 * RECORDS_PER_SLICE + 1))
    assert [each.shard for each in slices] == [0, 0, 0]
    records = [orjson.loads(each.records) for each in slices]
    assert [len(each) for each in records] == [RECORDS_PER_SLICE, RECORDS_PER_SLICE, 1]
    assert [record for each in records for record in each] == page(2 * RECORDS_PER_SLICE + 1)


@pytest.mark.parametrize("shards", [1, 2, 64])
def test_an_empty_page_is_one_empty_slice(shards: int) -> None:
    (only,) = cut_page([], shards=shards)
    assert (only.shard, only.records, only.digests) == (0, "[]", "")


@pytest.mark.parametrize("shards", [2, 8, 64])
def test_no_slice_spans_two_shards_and_no_record_is_lost(shards: int) -> None:
    slices = cut_page(page(1000), shards=shards)
    seen: Counter[str] = Counter()
    for each in slices:
        records = orjson.loads(each.records)
        assert 0 < len(records) <= RECORDS_PER_SLICE
        assert {route(record["siret"][:9], shards) for record in records} == {each.shard}
        seen.update(record["siret"] for record in records)
    assert seen == Counter(record["siret"] for record in page(1000))  # type: ignore[index]  # records of `page`


def test_a_record_without_a_siret_goes_to_the_first_shard() -> None:
    strange: list[object] = [{}, {"siret": 12}, {"siret": "12"}, "no record", None]
    (only,) = cut_page(strange, shards=64)
    assert only.shard == 0
    assert orjson.loads(only.records) == strange


@pytest.mark.parametrize("depth", [300, 1000])
@pytest.mark.parametrize("siret", ["12345678900011", None])
def test_a_record_too_deep_to_be_written_again_does_not_hold_up_its_page(
    depth: int, siret: str | None
) -> None:
    deep = orjson.loads(depth * b"[" + depth * b"]")
    bad = {"siret": siret, "siren": siret and siret[:9], "uniteLegale": {"x": deep}, "y": deep}
    [each] = cut_page([*page(1), bad, *page(1)])
    found = [orjson.loads(line) for line in each.records.replace("\n,", "\n").split("\n")[1:-1]]
    assert [one["siret"] for one in found] == ["00000000000011", siret, "00000000000011"]
