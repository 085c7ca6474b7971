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
    [FetchPage(1, 2), WriteSlice(**SLICE), ReviewAvis([1, 2])],
    ids=lambda message: type(message).__name__,
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
        ({"extra": 1}, "extra"),
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


def test_avis_ids_are_integers() -> None:
    with pytest.raises(ContractError, match="avis_ids"):
        ReviewAvis.from_wire({"avis_ids": [1, "2"]})
