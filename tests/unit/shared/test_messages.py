from typing import Any

import pytest

from shared.messages import ContractError, FetchPage, ReviewAvis, WriteSlice

SLICE: dict[str, Any] = {
    "batch_id": 1,
    "page": 2,
    "fetch_id": 3,
    "slice": 0,
    "fetched_at": "2026-08-05T10:00:00+00:00",
    "records": "[]",
}


@pytest.mark.parametrize(
    "message",
    [
        FetchPage(1, 2),
        WriteSlice(**SLICE),
        WriteSlice(**SLICE, shard=3),
        ReviewAvis([1, 2]),
        ReviewAvis([1, 2], shard=63),
    ],
    ids=str,
)
def test_a_message_comes_back_from_the_wire_as_it_was_sent(
    message: FetchPage | WriteSlice | ReviewAvis,
) -> None:
    assert type(message).from_wire(message.to_wire()) == message


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"batch_id": "1"}, "batch_id"),
        ({"batch_id": True}, "batch_id"),
        ({"records": None}, "records"),
        ({"fetched_at": "2026-08-05T10:00:00"}, "fetched_at"),
        ({"fetched_at": "yesterday"}, "fetched_at"),
        ({"fetched_at": "0001-01-01T00:00:00+14:00"}, "fetched_at"),
        ({"fetched_at": "9999-12-31T23:59:59-14:00"}, "fetched_at"),
        ({"fetched_at": "2026-08-05T10:00:00+00:00:30.5"}, "fetched_at"),
        ({"batch_id": 2**63}, "batch_id"),
        ({"batch_id": -1}, "batch_id"),
        ({"page": 2**31}, "page"),
        ({"slice": 2**31}, "slice"),
        ({"extra": 1}, "extra"),
        ({"shard": 64}, "shard"),
        ({"shard": -1}, "shard"),
        ({"shard": "0"}, "shard"),
    ],
)
def test_a_broken_message_is_rejected_by_its_field_and_without_its_content(
    change: dict[str, Any], named: str
) -> None:
    with pytest.raises(ContractError, match=named) as caught:
        WriteSlice.from_wire({**SLICE, **change})
    assert "yesterday" not in str(caught.value)


def test_a_message_without_one_of_its_fields_is_rejected() -> None:
    with pytest.raises(ContractError, match="page"):
        FetchPage.from_wire({"batch_id": 1})


@pytest.mark.parametrize("avis_id", ["2", True, -1, 2**63])
def test_avis_ids_are_integers_that_the_database_can_have(avis_id: object) -> None:
    with pytest.raises(ContractError, match="avis_ids"):
        ReviewAvis.from_wire({"avis_ids": [1, avis_id]})


def test_arguments_without_a_name_are_no_part_of_any_message() -> None:
    with pytest.raises(ContractError, match="without a name"):
        FetchPage.from_wire(FetchPage(1, 2).to_wire(), "an argument")


def test_with_one_shard_a_message_is_what_it_was_before_there_were_any() -> None:
    assert WriteSlice(**SLICE).to_wire().keys() == SLICE.keys()
    assert WriteSlice.from_wire(SLICE).shard == 0
    assert ReviewAvis([1]).to_wire() == {"avis_ids": [1]}
