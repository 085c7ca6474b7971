"""The conditions that people must know of, declared once and in groups.

`python -m deploy.prometheus` makes Prometheus' rules of them. `faults_in` judges them where no
Prometheus raises alerts. Meaning and what to do: docs/operations.md, "Alerts".
"""

from collections.abc import Mapping, Sequence

from shared.alerts import imports, portal, queues, servers, texts
from shared.alerts.condition import Alert, Condition, ConditionFacts

__all__ = ["GROUPS", "Alert", "Condition", "ConditionFacts", "faults_in"]

GROUPS: Mapping[str, Sequence[Condition]] = {
    "sirenade-processes": servers.PROCESSES,
    "sirenade-queues": queues.CONDITIONS,
    "sirenade-import": imports.CONDITIONS,
    "sirenade-texts": texts.CONDITIONS,
    "sirenade-portal": portal.CONDITIONS,
    "sirenade-room": servers.ROOM,
}


def faults_in(facts: ConditionFacts) -> list[Alert]:
    """Return the alerts that these facts justify; conditions that need a history are left out."""
    return [
        Alert(condition.name, condition.severity, summary)
        for conditions in GROUPS.values()
        for condition in conditions
        if condition.faults is not None
        for summary in condition.faults(facts)
    ]
