"""The portal does all that it does as its own role."""

from typing import TYPE_CHECKING

import pytest

from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import running_portal

if TYPE_CHECKING:
    from tests.role_logins import RoleLogins

_SIRET = "00000000100001"


@pytest.mark.one_role
def test_the_portal_serves_as_its_role(
    desk: Desk, records: Records, role_logins: "RoleLogins"
) -> None:
    desk.import_(records.record(1, enseigne="LE FOURNIL"))
    publish(desk)
    with running_portal(role_logins.url("portal")) as portal:
        page = portal.get(f"/pages/le-fournil-bordeaux-{_SIRET}")
        assert (page.status, "Un texte sur" in page.text) == (200, True)
        assert portal.get(f"/pages/{_SIRET}").status == 301
        assert portal.get("/status").status == 200
        assert portal.get("/sitemap.xml").text.count("<loc>") == 1
        assert portal.get("/sitemaps/0.xml.gz").status == 200
        assert portal.post(f"/signaler/{_SIRET}", "message=x").status == 303
    assert desk.number("page_reports") == 1
