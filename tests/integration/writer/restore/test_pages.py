"""R4 over a restore: a portal that goes on serving shows the restored rows, not its cache."""

from pathlib import Path

from sqlalchemy import Engine, text

from deploy.local.postgres import RunningPostgres
from tests.conditions import wait_until
from tests.integration.commands import Sirenade
from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.integration.writer.restore.conftest import loaded, url_of
from tests.portals import Portal, running_portal

_PATH = "/pages/le-fournil-bordeaux-00000000100001"
_BASE = "https://pages.example"


def _shown(portal: Portal) -> str:
    """Return the page, once the portal has found its database again."""
    wait_until(lambda: portal.get(_PATH).status < 500, seconds=30)
    answer = portal.get(_PATH)
    assert answer.status == 200
    return answer.text


def test_a_portal_that_goes_on_shows_what_was_restored(
    back_up: Sirenade,
    restore: Sirenade,
    desk: Desk,
    records: Records,
    postgres: RunningPostgres,
    store: Path,
    empty: Engine,
) -> None:
    del store
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    publish(desk)
    loaded(back_up())
    loaded(restore("latest", "--json", "--none"))
    url = url_of(empty)
    with running_portal(url, portal_base_url=_BASE) as portal:
        told = _shown(portal)
        assert "Un texte sur" in told
        with empty.begin() as connection:
            connection.execute(text("UPDATE avis SET held_because = 'asked', held_at = now()"))
        assert "Un texte sur" not in _shown(portal)
        empty.dispose()
        postgres.drop_database("restored_here")
        postgres.create_database("restored_here")
        loaded(restore("latest", "--json", "--none"))
        assert _shown(portal) == told
        with running_portal(url, portal_base_url=_BASE, portal_cache_bytes=0) as fresh:
            assert _shown(fresh) == _shown(portal)
