"""The portal in a real browser: accessible, without a script, on a wide and on a narrow screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from services.writer.erasure.oppositions import forget
from tests.browser.chromium import NARROW, WIDE, axe_findings, running_chromium
from tests.integration.portal.pages.test_listings import index
from tests.integration.portal.published import publish
from tests.integration.writer.desk import Desk
from tests.integration.writer.records import Records
from tests.portals import Portal, running_portal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
_SLUG = "le-fournil-bordeaux-00000000100001"
_MASKED = "00000000300003"
_PATHS = (
    "/",
    f"/pages/{_SLUG}",
    f"/pages/{_MASKED}",
    "/signaler/00000000100001",
    "/opposition/00000000100001",
    "/merci",
    "/recherche?q=fournill+bordeaux",
    "/communes/33063",
    "/communes/33063/10.71C",
    "/docs",
    "/nulle-part",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def portal(engine: Engine, database_url: str) -> Iterator[Portal]:
    desk, records = Desk(engine), Records()
    record = records.record(1, enseigne="LE FOURNIL")
    [period] = record["periodesEtablissement"]
    period["dateDebut"] = "2021-01-01"
    past = {"dateDebut": "2015-01-01", "dateFin": "2020-12-31"}
    record["periodesEtablissement"].append(period | past | {"enseigne1Etablissement": "CHEZ LEON"})
    record["nombrePeriodesEtablissement"] = 2
    masked = records.record(3, statut="P")
    desk.import_(record, records.record(2, enseigne="AU BON PAIN"), masked)
    publish(desk)
    index(desk)
    with running_portal(database_url) as portal:
        yield portal


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    from shared.db.engine import make_engine  # noqa: PLC0415  as tests/integration has it

    engine = make_engine(database_url, application_name="tests", pool_size=4)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(portal: Portal, browser: Browser, scheme: str) -> None:
    for size in (WIDE, NARROW):
        context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        for path in _PATHS:
            page.goto(portal.address + path)
            assert axe_findings(page) == [], (path, scheme, size)
            assert _overflow(page) <= 0, (path, size)
        context.close()


def test_no_script_is_needed_and_none_is_run(portal: Portal, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{portal.address}/pages/{_SLUG}")
    assert page.title().startswith("Le Fournil à Bordeaux")
    page.get_by_role("link", name="Signaler une erreur").click()
    page.get_by_label("Qu’est-ce qui est faux ?").fill("Le nom.")
    page.get_by_role("button", name="Envoyer").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Merci, c’est noté."
    # Everything comes from the portal itself, and no answer holds a script that runs.
    assert {url.split("/")[2] for url in asked} == {portal.address.removeprefix("http://")}
    assert not [url for url in asked if url.endswith(".js")]
    context.close()


def test_the_browser_asks_again_and_sees_an_erasure(
    portal: Portal, browser: Browser, engine: Engine
) -> None:
    page = browser.new_page()
    address = f"{portal.address}/pages/{_SLUG}"
    page.goto(address)
    page.goto(portal.address)
    forget(engine, "000000001", reason="test", force=True)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 410
    assert "Fournil" not in page.content()
    page.close()


def test_a_picture_of_the_page_is_made(portal: Portal, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    page.goto(f"{portal.address}/pages/{_SLUG}")
    picture = page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000
    assert page.locator("h1").inner_text() == "Le Fournil"
    page.close()


def _overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the screen."""
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )
