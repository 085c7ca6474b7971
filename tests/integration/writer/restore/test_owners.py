"""The owner of a database with roles restores it, and is no superuser."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.integration.commands import Sirenade
from tests.integration.shared.db.definitions import definitions
from tests.integration.writer.restore.conftest import counts, is_marked, url_of
from tests.integration.writer.scene import SIREN, WORDS, Scene
from tests.integration.writer.whole_database import places_of
from tests.role_logins import OWNERS, PRIVILEGES_OF_ALL, RoleLogins, listed


@pytest.fixture
def roles(empty: Engine) -> Iterator[RoleLogins]:
    """Return roles of the empty database, which belongs to one of them."""
    logins = RoleLogins("restoring_", url_of(empty))
    logins.apply()
    yield logins
    logins.drop()


def test_the_owner_restores_rows_schema_and_privileges(
    back_up: Sirenade,
    sirenade: Sirenade,
    person: Scene,
    store: None,
    empty: Engine,
    roles: RoleLogins,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del store
    person.fill()
    back_up()
    counted = counts(person.desk.engine)
    assert sirenade("forget", SIREN).status == 0
    monkeypatch.setenv("SIRENADE_DATABASE_URL", roles.url("migrate"))
    restored = sirenade("restore", "latest")
    assert restored.status == 0, restored.err
    assert counts(empty)["etablissements"] == counted["etablissements"]
    assert places_of(empty, *WORDS) == []
    assert not is_marked(empty)
    url = url_of(empty)
    assert definitions(url) == definitions(url_of(person.desk.engine))
    assert listed(url, OWNERS) == [f"{roles.prefix}migrate"]
    assert len(listed(url, PRIVILEGES_OF_ALL)) > 300
