from typing import Any

import pytest

from services.fetcher.plan.page_end import judge_page, rows_to_ask


def test_a_page_asks_for_no_more_than_the_limit_leaves() -> None:
    ask = {"rows_per_page": 1000}
    assert rows_to_ask(received_before=2000, row_limit=2500, **ask) == 500
    assert rows_to_ask(received_before=0, row_limit=2500, **ask) == 1000
    assert rows_to_ask(received_before=9000, row_limit=None, **ask) == 1000


@pytest.mark.parametrize(
    ("case", "changes", "is_last"),
    [
        ("a full page in the middle", {}, False),
        ("INSEE's own end: the cursor that was sent", {"next_cursor": "a", "rows": 0}, True),
        ("no cursor at all", {"next_cursor": None}, True),
        ("a short page that the total does not explain", {"rows": 999}, False),
        ("a short page that reaches the total", {"rows": 999, "total": 2999}, True),
        ("an empty page under another cursor", {"rows": 0}, True),
        ("the total reached on a full page", {"total": 3000}, True),
        ("the limit reached", {"row_limit": 3000}, True),
        ("the limit not yet reached", {"row_limit": 3001}, False),
    ],
)
def test_the_walk_ends_where_nothing_can_follow(
    case: str, changes: dict[str, Any], is_last: bool
) -> None:
    facts: dict[str, Any] = {
        "cursor": "a",
        "next_cursor": "b",
        "rows": 1000,
        "received_before": 2000,
        "total": 9000,
        "row_limit": None,
    }
    assert judge_page(**{**facts, **changes}).is_last is is_last, case


def test_what_is_expected_is_the_smaller_of_total_and_limit() -> None:
    def expected(row_limit: int | None) -> int:
        return judge_page(
            cursor="a", next_cursor="b", rows=10, received_before=0, total=500, row_limit=row_limit
        ).expected

    assert (expected(None), expected(100), expected(900)) == (500, 100, 500)
