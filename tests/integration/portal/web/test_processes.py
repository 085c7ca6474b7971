"""Several processes behind one port, and the index that one of them keeps: they end together."""

import os
import signal
from pathlib import Path

from deploy.local import processes
from tests.conditions import wait_until
from tests.integration.portal.api.directory import Reader
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import started_portal

_SLUG = "le-fournil-bordeaux-00000000100001"


def test_the_index_follows_changes_where_the_portal_keeps_it(
    desk: Desk, records: Records, database_url: str, tmp_path: Path
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    limit = {"PORTAL_ANONYMOUS_PER_MINUTE": "1000000"}
    with started_portal(tmp_path, database_url, options=["--with-index"], **limit) as server:
        reader = Reader(server.address)

        def total(q: str) -> int:
            found: int = reader.json("/api/v1/recherche", q=q)["total"]
            return found

        wait_until(lambda: total("fournil") == 1)
        desk.import_(records.record(2, enseigne="AU BON PAIN"))
        wait_until(lambda: total("bon pain") == 1)
        reader.close()
        os.kill(server.pid, signal.SIGTERM)
        assert processes.wait_until_gone([server.pid], seconds=30) == []


def test_every_process_knows_the_address_that_readers_see(
    desk: Desk, records: Records, database_url: str, tmp_path: Path
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    with started_portal(tmp_path, database_url, PORTAL_WORKERS="2") as server:
        reader = Reader(server.address)
        page = reader.get(f"/pages/{_SLUG}").text
        assert f'<link rel="canonical" href="{server.address}/pages/{_SLUG}">' in page
        reader.close()


def test_where_the_first_process_is_killed_none_serves_on(
    database_url: str, tmp_path: Path
) -> None:
    with started_portal(tmp_path, database_url, PORTAL_WORKERS="2") as server:
        pids = server.pids
        assert len(pids) > 2
        os.kill(server.pid, signal.SIGKILL)
        assert processes.wait_until_gone(pids, seconds=30) == []
