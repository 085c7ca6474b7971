"""The journal: who did what. An example of a screen."""

from starlette.responses import Response

from services.operator.console import journal
from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.visits import Visit
from shared.db.tables.console import KEPT_DAYS

JOURNAL = Screen("Journal", "/journal")
_LINES = 100


@JOURNAL.get("/journal", Right.LOOK)
def show(visit: Visit) -> Response:
    with visit.reading() as (control, *_):
        lines = journal.read_journal(control, before=visit.number("avant"), limit=_LINES)
    after = lines[-1].id if len(lines) == _LINES else None
    return visit.page("journal", lines=lines, next=after, kept_days=KEPT_DAYS)
