"""A report of a reader reaches the operator's list, and leaves with its time or an erasure."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from services.operator.__main__ import app
from services.writer.erasure.oppositions import forget
from tests.integration.commands import Sirenade, sirenade_of
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import Portal

_SIREN = "000000018"
_SIRET = f"{_SIREN}00001"


@pytest.fixture
def sirenade(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Sirenade:
    monkeypatch.setenv("SIRENADE_DATABASE_URL", database_url)
    return sirenade_of(app, monkeypatch, capsys)


@pytest.fixture(autouse=True)
def _page(desk: Desk, records: Records) -> None:
    desk.import_(records.record(1, siren=_SIREN, enseigne="LE FOURNIL"))


@pytest.fixture
def send(portal: Portal) -> Callable[..., int]:
    def post(kind: str, message: str, contact: str = "", site: str = "") -> int:
        form = urlencode({"message": message, "contact": contact, "site": site})
        return portal.post(f"/{kind}/{_SIRET}", form).status

    return post


def test_a_report_reaches_the_list_and_is_closed(
    portal: Portal, send: Callable[..., int], sirenade: Sirenade
) -> None:
    assert portal.get(f"/signaler/{_SIRET}").status == 200
    assert send("signaler", "Fermé depuis mai.\nVraiment.", "a@b.example") == 303
    assert send("opposition", "C’est mon nom.") == 303
    listed = sirenade("reports", "list").out
    assert listed.index("opposition") < listed.index("error")
    assert "Fermé depuis mai. Vraiment." in listed
    assert sirenade("reports", "close", 1, 2).out == "2 reports closed\n"
    assert sirenade("reports", "list").out == "no report is open\n"
    assert sirenade("reports", "close", 1).status == 2
    assert "a@b.example" in sirenade("reports", "list", "--done", "--json").out


def test_forms_that_say_nothing_are_shown_again(portal: Portal, send: Callable[..., int]) -> None:
    assert send("signaler", "  ") == 400
    assert send("signaler", "x" * 2_001) == 400
    assert send("signaler", "x", "not an address") == 400
    assert portal.get("/signaler/00000000000000").status == 404
    assert portal.get("/signaler/x").status == 404


def test_programs_other_sites_and_floods_fill_no_table(
    portal: Portal, send: Callable[..., int], desk: Desk
) -> None:
    assert send("signaler", "achetez", site="https://spam.example") == 303
    foreign = portal.post(f"/signaler/{_SIRET}", "message=x", Sec_Fetch_Site="cross-site")
    assert foreign.status == 403
    assert portal.post(f"/signaler/{_SIRET}", f"message={'x' * 40_000}").status == 413
    assert desk.number("page_reports") == 0
    statuses = [send("signaler", f"n° {n}") for n in range(21)]
    assert statuses == [303] * 20 + [429]


def test_an_erasure_deletes_the_reports_of_its_unit(send: Callable[..., int], desk: Desk) -> None:
    send("opposition", "C’est mon nom : ZORGLUB.", "zorglub@b.example")
    erased = forget(desk.engine, _SIREN, reason="asked")
    assert erased.erased["page_reports"] == 1
    assert desk.number("page_reports") == 0
