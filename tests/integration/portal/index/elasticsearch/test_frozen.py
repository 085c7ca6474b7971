"""A follower whose process is frozen: another goes on, and the frozen one brings nothing back."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services.portal.index.elasticsearch.check import DocumentDifferences, compare_documents
from services.portal.index.elasticsearch.follower import Follower
from services.writer.erasure.oppositions import forget
from tests.conditions import wait_until
from tests.integration.portal.elastic import Elastic, found_ids
from tests.integration.portal.index.elasticsearch import frozen_follower
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.scene import LATER, NATURAL, SIREN, Scene

_ROOT = Path(__file__).resolve().parents[5]


@pytest.mark.one_role
def test_a_frozen_follower_is_relieved_at_its_deadline_and_brings_no_erased_name_back(
    database_url: str, desk: Desk, records: Records, elastic: Elastic
) -> None:
    follower = elastic.follower(desk.engine)
    scene = Scene(desk, records, NATURAL)
    desk.import_(scene.bystander(), sole_traders=True)
    follower.step()
    desk.import_(scene.clear(1), scene.clear(2), fetched_at=LATER, sole_traders=True)
    frozen = subprocess.Popen(
        [sys.executable, "-m", frozen_follower.__name__, database_url, json.dumps(elastic)],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert frozen.stdout is not None
    try:
        assert frozen.stdout.readline() == "read\n"
        frozen.send_signal(signal.SIGSTOP)
        forget(desk.engine, SIREN, reason="asked")

        def relieved() -> bool:
            follower.step()
            return _agrees(follower)

        # Its lease ends by its deadline.
        wait_until(relieved)
        assert found_ids(follower.indexes, "names", "zorglub") == []
        place = desk.one("SELECT position FROM search_cursors WHERE consumer = 'elasticsearch'")
        frozen.send_signal(signal.SIGCONT)
        _, told = frozen.communicate("go on\n", timeout=30)
    finally:
        frozen.kill()
        frozen.wait(10)
    # A late document is older than what stands there, and its place does not count.
    assert frozen.returncode != 0
    assert "took its place" in told or "LeaseLost" in told
    assert found_ids(follower.indexes, "names", "zorglub") == []
    assert _agrees(follower)
    after = desk.one("SELECT position FROM search_cursors WHERE consumer = 'elasticsearch'")
    assert after == place


def _agrees(follower: Follower) -> bool:
    found = compare_documents(follower.engine, follower.indexes)
    return found == DocumentDifferences(pages=1, documents=1)
