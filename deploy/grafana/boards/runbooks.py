"""The runbooks: the meaning of each alert and outage, and the remedy, beside the alerts."""

from deploy.grafana.layout import Board, Row
from deploy.grafana.panels import MarkdownPanel
from deploy.runbooks import Runbook, anchor_of, as_panel, read_runbooks, runbook_path

_BESIDE = 2
_HEIGHT = 9


def _row(number: int, title: str, runbooks: list[Runbook], shown: dict[str, str]) -> Row:
    row = Row(number, title)
    for first in range(0, len(runbooks), _BESIDE):
        line = runbooks[first : first + _BESIDE]
        pages = [MarkdownPanel(each.number, each.title, as_panel(each, shown)) for each in line]
        row = row.line(*pages, height=_HEIGHT)
    return row


def _board() -> Board:
    found = read_runbooks()
    shown = {anchor_of(each.title): runbook_path(each.title) for each in found}
    alerts = [each for each in found if each.title.startswith("Sirenade")]
    outages = [each for each in found if each not in alerts]
    return Board(
        "Runbooks",
        "What each alert and each outage means, and what to do: docs/operations.md.",
        (_row(1, "Alerts", alerts, shown), _row(2, "Outages", outages, shown)),
    )


RUNBOOKS = _board()
