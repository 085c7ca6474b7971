"""The first dashboard: does it work, how fast, until when, and what does it cost."""

from deploy.grafana.boards.overview.speed import SPEED
from deploy.grafana.boards.overview.texts import TEXTS
from deploy.grafana.boards.overview.work import WORKING
from deploy.grafana.layout import Board

OVERVIEW = Board(
    uid="sirenade-overview",
    title="Sirenade / Overview",
    text="Does it work, how fast, until when, and what does it cost.",
    rows=(WORKING, SPEED, TEXTS),
)
