"""INSEE's present list of a window, page by page; INSEE has no snapshot of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.fetcher.insee.client import InseeClient
from services.fetcher.insee.patient_client import Inquirer
from services.fetcher.plan.page_end import FIRST_CURSOR, judge_page
from services.fetcher.plan.windows import Window
from shared.clock import utc_now
from shared.errors import SirenadeError

MOVED = "INSEE's data moved meanwhile: run it again"


class Void(SirenadeError):
    """Raised when a comparison cannot give a result; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class ListedPage:
    """One INSEE page, and the stretch of sirets that it covers, to the end where it is the last.

    Without records only the sirets were asked for. `seen_at` is the time before the GET.
    """

    sirets: Sequence[str]
    records: Sequence[Any]
    above: str
    up_to: str | None
    seen_at: datetime


@dataclass(frozen=True)
class Listing:
    """Asks for the list of a window; raises Void where it is not the one that was expected."""

    inquirer: Inquirer
    rows_per_page: int
    has_records: bool

    def pages(self, window: Window, *, expected: int) -> Iterator[ListedPage]:
        ask = InseeClient.list_records if self.has_records else InseeClient.list_sirets
        cursor, last, listed, is_last = FIRST_CURSOR, "", 0, False
        while not is_last:
            seen_at = utc_now()
            answer = self.inquirer.ask(ask, window.query, nombre=self.rows_per_page, curseur=cursor)
            records = answer.records
            sirets = [each["siret"] for each in records] if self.has_records else records
            if answer.total != expected or not _rises(last, sirets):
                raise Void(MOVED)
            is_last = judge_page(
                cursor=cursor,
                next_cursor=answer.next_cursor,
                rows=len(sirets),
                received_before=listed,
                total=answer.total,
            ).is_last
            end = None if is_last else sirets[-1]
            yield ListedPage(sirets, records if self.has_records else (), last, end, seen_at)
            listed += len(sirets)
            cursor, last = answer.next_cursor or cursor, end or last
        if listed != expected:
            raise Void(MOVED)


def _rises(last: str, sirets: Sequence[str]) -> bool:
    """Return whether the sirets rise, as INSEE lists them; else the list changed meanwhile."""
    return all(low < high for low, high in zip([last, *sirets], sirets, strict=False))
