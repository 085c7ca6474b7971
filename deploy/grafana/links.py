"""The links from a panel to runbooks: those of the alerts that look at the panel's metrics."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from deploy.runbooks import BOARD, runbook_path
from shared.alerts import GROUPS

_METRIC = re.compile(r"\b(?:sirenade|rabbitmq|pg)_\w+|\bup\b")
# More would hide the panel.
_MOST = 4


def runbooks_of(queries: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield title and path of each link; one to all runbooks where no alert looks here."""
    by_metric = _alerts_by_metric()
    named = [metric for query in queries for metric in _METRIC.findall(query)]
    alerts = dict.fromkeys(name for metric in named for name in by_metric.get(metric, ()))
    if not alerts:
        yield "Runbooks", f"/d/{BOARD}"
    for name in list(alerts)[:_MOST]:
        yield f"Runbook: {name}", runbook_path(name)


@cache
def _alerts_by_metric() -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for conditions in GROUPS.values():
        for condition in conditions:
            for metric in _METRIC.findall(condition.expression):
                found.setdefault(metric, []).append(condition.name)
    return found
