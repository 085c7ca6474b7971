"""The state of the work in one word."""

from dataclasses import replace

import pytest

from services.operator.console.lookout import WorkState, state_of
from services.operator.monitoring.recorder import Recorder
from tests.unit.operator.monitoring.made_readings import OUTSIDE, after


@pytest.mark.parametrize(
    ("is_idle", "still_seconds", "state"),
    [
        (True, 1e6, WorkState.IDLE),
        (False, 10, WorkState.MOVING),
        (False, 301, WorkState.STALLED),
    ],
)
def test_the_state_is_named(is_idle: bool, still_seconds: float, state: WorkState) -> None:
    snapshot = Recorder().record(after(60, rows=1000), OUTSIDE)
    assert state_of(snapshot, is_idle, still_seconds) is state


def test_a_day_whose_share_is_done_rests() -> None:
    snapshot = Recorder().record(after(60, rows=1000), OUTSIDE)
    resting = replace(snapshot, rows=replace(snapshot.rows, resting_until="2026-01-08"))
    assert state_of(resting, False, 1e6) is WorkState.RESTING
