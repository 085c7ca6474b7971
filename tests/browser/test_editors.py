"""The editors' screens in a real browser: by keys alone, without scripts, wide and narrow."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from services.operator.console import accounts
from services.reviewer.contexts.reader import ContextReader
from services.reviewer.editors.orders import Editor
from services.reviewer.validation import Verdict
from shared.clock import Clock
from tests.browser.chromium import axe_findings, running_chromium
from tests.consoles import RunningConsole, running_console
from tests.integration.reviewer.conftest import Desk, Register

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
_SIZES = ({"width": 360, "height": 740}, {"width": 1440, "height": 900})
_FIRST = "00000000100011"
_PATHS = (
    "/textes",
    "/textes?retenu=tous",
    f"/textes/{_FIRST}/notice",
    "/textes/00000000600011/notice",
    "/file",
    "/file/regles",
    "/argent",
    "/argent/prevision",
    "/personnes",
    "/personnes/unite/000000001",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    from shared.db.engine import make_engine  # noqa: PLC0415  as tests/integration has it

    engine = make_engine(database_url, application_name="tests", pool_size=6)
    yield engine
    engine.dispose()


@pytest.fixture
def register(engine: Engine) -> Register:
    """Six texts; five are held, the sixth was edited twice."""
    register, desk = Register(engine), Desk(engine)
    ids = register.add(range(1, 7))
    desk.store(*desk.claim(ids))
    register.execute(
        "UPDATE avis SET held_because = 'first_texts', held_at = now() + make_interval(secs => id)"
        " WHERE siret < '00000000600011'"
    )
    register.execute(
        "INSERT INTO avis_attempts (avis_id, siren, model, prompt_version, facts_hash, text,"
        " accepted, reasons, latency_seconds)"
        " SELECT id, siren, 'human_edited', 'human_edited', facts_hash, 'Un autre texte.', true,"
        " '{rating}', 0 FROM avis WHERE siret = '00000000600011'"
    )
    register.execute(
        "INSERT INTO page_reports (siret, siren, kind, message, contact) VALUES"
        " ('00000000100011', '000000001', 'opposition', 'Retirez-moi.', 'a@example.org')"
    )
    register.execute(
        "INSERT INTO review_providers (name, listed, model, weight, max_parallel, charges,"
        " spent_eur) VALUES ('alpha', true, 'm', 1, 1, true, 2)"
    )
    return register


@pytest.fixture
def console(register: Register, database_url: str) -> Iterator[RunningConsole]:
    assert register
    with running_console(database_url) as console:
        yield console


@contextmanager
def reviewing(engine: Engine) -> Iterator[None]:
    """Carry out orders in another thread, as a reviewer does."""
    stop, contexts = threading.Event(), ContextReader(engine, [engine], Clock())
    editor = Editor(engine, lambda _text, _facts: Verdict(), Clock(), contexts, sole_traders=False)

    def work() -> None:
        while not stop.wait(0.1):
            editor.step()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def logged_in(browser: Browser, console: RunningConsole, engine: Engine, **options: object) -> Page:
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    log_in(page, console, engine, "admin")
    return page


def log_in(page: Page, console: RunningConsole, engine: Engine, login: str) -> None:
    with engine.begin() as connection:
        password = accounts.put_account(connection, login, "admin", anew=True)
    page.goto(f"{console.address}/connexion")
    page.get_by_label("Identifiant").fill(login)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("button", name="Se connecter").click()
    page.wait_for_url("**/compte")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_wide_and_narrow_screens(
    console: RunningConsole, browser: Browser, engine: Engine, scheme: str
) -> None:
    page = logged_in(browser, console, engine, color_scheme=scheme)
    for size in _SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for path in _PATHS:
            page.goto(console.address + path)
            assert axe_findings(page) == [], (path, scheme, size)
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wider) <= 0, (path, size)
    page.context.close()


def test_the_queue_is_worked_by_keys_alone(
    console: RunningConsole, browser: Browser, engine: Engine, register: Register
) -> None:
    page = logged_in(browser, console, engine)
    loads: list[str] = []
    page.goto(f"{console.address}/file")
    page.on("load", lambda loaded: loads.append(loaded.url))
    with reviewing(engine):
        page.keyboard.press("a")
        page.keyboard.press("j")
        focused = page.locator("article:focus")
        expect(focused).to_contain_text(_FIRST)
        page.keyboard.press("a")
        expect(page.locator(".notice")).to_contain_text(f"publier {_FIRST}")
        expect(page.locator("#file > article")).to_have_count(4)
        expect(focused).to_contain_text("00000000200011")
        page.keyboard.press("r")
        page.keyboard.type("hors sujet, jargon")
        page.keyboard.press("Enter")
        expect(page.locator("#file > article")).to_have_count(3)
        expect(focused).to_contain_text("00000000300011")
        page.keyboard.press("j")
        expect(focused).to_contain_text("00000000400011")
        page.keyboard.press("k")
        expect(focused).to_contain_text("00000000300011")
        expect(page.locator("#decisions")).to_contain_text("fait", timeout=10_000)
        assert loads == [], "nothing loads the page"
        page.keyboard.press("e")
        page.wait_for_url("**/textes/00000000300011/notice")
    rows = register.rows("SELECT siret, outcome, held_because FROM avis ORDER BY siret")
    assert [(row["outcome"], row["held_because"]) for row in rows[:2]] == [
        ("accepted", None),
        ("rejected", None),
    ]
    page.context.close()


def test_the_keys_can_be_switched_off(
    console: RunningConsole, browser: Browser, engine: Engine
) -> None:
    page = logged_in(browser, console, engine)
    page.goto(f"{console.address}/file")
    page.get_by_label("Touches").uncheck()
    page.reload()
    page.keyboard.press("j")
    assert page.locator("article:focus").count() == 0
    page.context.close()


def test_everything_is_done_without_scripts(
    console: RunningConsole, browser: Browser, engine: Engine, register: Register
) -> None:
    page = logged_in(browser, console, engine, java_script_enabled=False)
    with reviewing(engine):
        page.goto(f"{console.address}/file")
        assert page.locator("#touches").is_hidden()
        page.get_by_role("button", name="Publier").first.click()
        assert f"publier {_FIRST}" in page.locator(".notice").inner_text()
        article = page.locator("#file > article").first
        article.locator("summary").click()
        article.get_by_label("Pourquoi le refuser").fill("hors sujet")
        article.get_by_role("button", name="Refuser").click()
        page.goto(f"{console.address}/textes/00000000300011/notice")
        page.get_by_label("Votre texte").fill("Un atelier.")
        page.locator("#motif-edit").fill("plus clair")
        page.get_by_role("button", name="Enregistrer la correction").click()
        assert "Ordre placé : corriger" in page.locator(".notice").first.inner_text()
        page.goto(f"{console.address}/argent")
        page.get_by_label("Nouveau plafond").fill("10")
        page.get_by_role("button", name="Enregistrer…").click()
        page.get_by_role("button", name="Continuer").click()
        page.get_by_role("button", name="Mettre en pause").click()
        page.goto(f"{console.address}/personnes")
        page.get_by_role("button", name="Classer").click()
        page.get_by_label("SIREN d’une unité").fill("000000004")
        page.get_by_role("button", name="Voir ce qui est détenu").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Exporter en JSON").click()
        assert download.value.suggested_filename == "sirenade-000000004.json"
        page.locator("#motif").fill("dossier 12")
        page.get_by_role("button", name="Effacer…").click()
        page.get_by_role("link", name="Ne rien faire").click()
        page.locator("#motif").fill("dossier 12")
        page.get_by_role("button", name="Effacer…").click()
        page.get_by_role("button", name="Effacer").click()
        assert "attend un rédacteur" in page.locator("main").inner_text()
    page.context.close()
    [row] = register.rows("SELECT text FROM avis WHERE siret = '00000000300011'")
    assert row["text"] == "Un atelier."
    [row] = register.rows("SELECT status, cap_eur FROM review_budget")
    assert (row["status"], float(row["cap_eur"])) == ("paused", 10.0)


def test_of_two_editors_on_one_text_the_second_is_told_and_keeps_the_words(
    console: RunningConsole, browser: Browser, engine: Engine
) -> None:
    first, second = (browser.new_context().new_page() for _ in range(2))
    for page, login in ((first, "ada"), (second, "bea")):
        log_in(page, console, engine, login)
        page.goto(f"{console.address}/textes/00000000600011/notice")
    with reviewing(engine):
        first.locator("#motif-hold").fill("plainte")
        first.get_by_role("button", name="Retenir").click()
        # The script sees by itself that the order is carried out.
        expect(first.locator("main")).to_contain_text("retenu depuis le", timeout=15_000)
        second.get_by_label("Votre texte").fill("Mes mots.")
        second.locator("#motif-edit").fill("plus clair")
        second.get_by_role("button", name="Enregistrer la correction").click()
        expect(second.get_by_role("alert")).to_contain_text("quelqu’un d’autre a décidé")
        expect(second.get_by_label("Votre texte")).to_have_value("Mes mots.")
    for page in (first, second):
        page.context.close()
