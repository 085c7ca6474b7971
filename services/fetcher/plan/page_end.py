"""The arithmetic of a walk: how many rows a page asks for, where it ends, what it costs."""

from dataclasses import dataclass

# The most that INSEE answers in JSON; fewer rows a request is quota thrown away.
MAX_ROWS_PER_PAGE = 1000
FIRST_CURSOR = "*"


def rows_to_ask(*, received_before: int, row_limit: int | None, rows_per_page: int) -> int:
    """Ask for a full page, or for what the batch's limit leaves; the day's share may cut it."""
    if row_limit is None:
        return rows_per_page
    return min(rows_per_page, row_limit - received_before)


@dataclass(frozen=True)
class PageEnd:
    """What a page says of the walk: is it over, and how many rows the batch will have had."""

    is_last: bool
    expected: int


def judge_page(  # noqa: PLR0913  # each argument is one fact of the answer
    *,
    cursor: str,
    next_cursor: str | None,
    rows: int,
    received_before: int,
    total: int,
    row_limit: int | None,
) -> PageEnd:
    """Say whether the walk ends here.

    INSEE's own end is an empty page that returns the cursor it was sent; that request is saved
    where the rows received reach the total. A short page alone ends nothing: rows could follow.
    """
    received = received_before + rows
    over_limit = row_limit is not None and received >= row_limit
    is_last = next_cursor in {None, cursor} or rows == 0 or received >= total or over_limit
    return PageEnd(is_last, total if row_limit is None else min(total, row_limit))
