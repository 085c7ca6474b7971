"""The size of a page of a walk, and the end of the walk. Pure."""

from dataclasses import dataclass

# INSEE answers at most this many in JSON; fewer rows a request waste the quota.
MAX_ROWS_PER_PAGE = 1000
FIRST_CURSOR = "*"


def rows_to_ask(received_before: int, row_limit: int | None, rows_per_page: int) -> int:
    """Return the rows of a full page, or what the limit of the batch leaves."""
    if row_limit is None:
        return rows_per_page
    return min(rows_per_page, row_limit - received_before)


@dataclass(frozen=True)
class PageEnd:
    """Says if a page ends its walk, and how many rows its batch expects in all."""

    is_last: bool
    expected: int


def judge_page(  # noqa: PLR0913  # each argument is one fact of the answer
    *,
    cursor: str,
    next_cursor: str | None,
    rows: int,
    received_before: int,
    total: int,
    row_limit: int | None = None,
) -> PageEnd:
    """Decide whether the walk ends with this page.

    INSEE ends a walk with an empty page that returns the cursor it was sent. Where the received
    rows reach the total, that request is saved. A short page alone ends nothing: rows may follow.
    """
    received = received_before + rows
    over_limit = row_limit is not None and received >= row_limit
    is_last = next_cursor in {None, cursor} or rows == 0 or received >= total or over_limit
    return PageEnd(is_last, total if row_limit is None else min(total, row_limit))
