"""The home: how the work stands, today against the day's goal, quota, freshness, alerts, money."""

import datetime as dt

from sqlalchemy import Connection, text
from starlette.responses import Response

from services.operator.console.lookout import WorkState
from services.operator.console.rights import Right
from services.operator.console.screen import Screen
from services.operator.console.visits import Visit
from shared.db.days import MIDNIGHT

HOME = Screen("Accueil", "/")
DAILY_GOAL = 35_000
_STATES = {
    WorkState.MOVING: ("En marche", "good", "Des lignes ou des textes arrivent."),
    WorkState.RESTING: ("En pause", "", "La part du jour est faite, ou quelqu’un a demandé."),
    WorkState.IDLE: ("Au repos", "good", "Rien n’attend : tout ce qui était commandé est fait."),
    WorkState.STALLED: (
        "À l’arrêt",
        "bad",
        "Du travail attend, et rien ne vient depuis 5 minutes.",
    ),
}

_TODAY = text(f"""
    SELECT coalesce(sum(records), 0)::bigint FROM insee_requests
    WHERE granted_at >= {MIDNIGHT}
""")


@HOME.get("/", Right.LOOK)
def show(visit: Visit) -> Response:
    with visit.reading() as (control, *_):
        today = rows_today(control)
    sight = visit.lookout.sight()
    state = _STATES[sight.state] if sight else None
    seen = sight.snapshot if sight else None
    return visit.page(
        "home",
        sight=sight,
        state=state,
        today=today,
        goal=DAILY_GOAL,
        seen_at=None if seen is None else dt.datetime.fromisoformat(seen.at),
    )


def rows_today(control: Connection) -> int:
    """Return the rows that INSEE gave since midnight in France."""
    return int(control.execute(_TODAY).scalar_one())
