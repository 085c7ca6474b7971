"""The arithmetic of a walk: which windows, how many rows a page asks for, where it ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# The most that INSEE answers in JSON; fewer rows a request is quota thrown away.
MAX_ROWS_PER_PAGE = 1000
FIRST_CURSOR = "*"


@dataclass(frozen=True)
class Window:
    """What one batch walks. The query never names a maskable field: masked units would vanish."""

    query: str
    departement: str | None = None
    code_commune: str | None = None


def windows_of(*, departements: Sequence[str], communes: Sequence[str]) -> list[Window]:
    """Cut a scope into windows, one walk each: few long walks waste the fewest requests."""
    by_departement = [
        Window(f"codeCommuneEtablissement:{departement}*", departement=departement)
        for departement in dict.fromkeys(departements)
    ]
    by_commune = [
        Window(f"codeCommuneEtablissement:{commune}", code_commune=commune)
        for commune in dict.fromkeys(communes)
    ]
    return by_departement + by_commune


def allot(totals: Iterable[int], row_limit: int) -> list[int]:
    """Share a run's limit out to its windows, in their order, until it is used up.

    Totals beyond that are not asked for; their windows have no share.
    """
    shares: list[int] = []
    remaining = iter(totals)
    while row_limit > 0 and (total := next(remaining, None)) is not None:
        shares.append(min(total, row_limit))
        row_limit -= shares[-1]
    return shares


def rows_to_ask(*, received_before: int, row_limit: int | None, rows_per_page: int) -> int:
    """Ask for a full page, or for what the batch's limit leaves."""
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
