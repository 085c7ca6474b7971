"""The operator's screens in a real browser: with and without scripts, by keys, wide and narrow."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect
from sqlalchemy import Engine, text

from services.operator.console import accounts
from tests.browser.chromium import axe_findings, running_chromium
from tests.consoles import RunningConsole, running_console
from tests.role_logins import RoleLogins

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
_SIZES = ({"width": 360, "height": 740}, {"width": 1440, "height": 900})
_PATHS = (
    *("/", "/imports", "/imports/1", "/imports/1?etat=1", "/imports/2"),
    *("/echecs", "/echecs/cause?genre=write&cause=invalid_date"),
    *("/lettres", "/lettres/1", "/journal", "/compte", "/nulle-part"),
)
_ROWS = """
    INSERT INTO import_runs (departements, status) VALUES ('{33}', 'complete'), ('{75}', 'running');
    INSERT INTO import_batches (run_id, number, query, status, departement, expected, received,
      received_distinct, missing_sirets, surplus_sirets, completed_at)
    VALUES (1, 1, 'q', 'complete', '33', 3, 3, 3, '{00000000100001}', '{}', now()),
      (2, 1, 'q', 'running', '75', 9000, 1200, NULL, NULL, NULL, NULL);
    INSERT INTO certificates (scope, status, informations_before, missing, surplus, missing_sirets)
    VALUES ('{}', 'differ', now(), 1, 0, '{00000000100001}');
    INSERT INTO failed_items (kind, key, code, message)
    SELECT 'write', lpad(i::text, 14, '0'), CASE WHEN i % 10 = 0 THEN '<b>22001</b>'
      ELSE 'invalid_date' END, 'x' FROM generate_series(1, 3000) i;
    INSERT INTO dead_letters (queue, message_id, actor, reason, body)
    SELECT 'sirene.fetch.v1', gen_random_uuid(), '<script>alert(1)</script>', 'rejected', 'x'
    FROM generate_series(1, 5)
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    from shared.db.engine import make_engine  # noqa: PLC0415  as tests/integration has it

    engine = make_engine(database_url, application_name="tests", pool_size=4)
    with engine.begin() as connection:
        connection.execute(text(_ROWS))
    yield engine
    engine.dispose()


@pytest.fixture
def console(engine: Engine, role_logins: RoleLogins) -> Iterator[RunningConsole]:
    del engine
    with running_console(role_logins.url("console")) as console:
        yield console


def _log_in(
    browser: Browser, console: RunningConsole, engine: Engine, role: str, **options: object
) -> Page:
    with engine.begin() as connection:
        password = accounts.put_account(connection, role, role, anew=True)
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    page.goto(f"{console.address}/echecs")
    page.get_by_label("Identifiant").fill(role)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("button", name="Se connecter").click()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Browser, console: RunningConsole, engine: Engine, scheme: str
) -> None:
    for size in _SIZES:
        page = _log_in(browser, console, engine, "admin", viewport=size, color_scheme=scheme)
        for path in _PATHS:
            page.goto(console.address + path)
            assert axe_findings(page) == [], (path, size)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) <= 0, (path, size)
        page.context.close()
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{console.address}/connexion")
    assert axe_findings(page) == []
    page.close()


def test_thousands_are_tried_again_without_a_page_load(
    browser: Browser, console: RunningConsole, engine: Engine
) -> None:
    page = _log_in(browser, console, engine, "operator")
    page.goto(f"{console.address}/echecs")
    page.evaluate("window.isSamePage = true")
    page.get_by_role("button", name="Reprendre les 2 700").click()
    expect(page.get_by_role("status")).to_contain_text("2700 redemandés à l’Insee")
    assert page.evaluate("window.isSamePage") is True
    # A part of the page is looked at anew by itself.
    with engine.begin() as connection:
        connection.execute(text("UPDATE failed_items SET resolved_at = now()"))
    expect(page.locator("#causes")).to_contain_text("Aucun échec ouvert", timeout=15_000)
    assert page.evaluate("window.isSamePage") is True
    page.context.close()


def test_everything_is_done_without_scripts(
    browser: Browser, console: RunningConsole, engine: Engine
) -> None:
    page = _log_in(browser, console, engine, "operator", java_script_enabled=False)
    page.goto(f"{console.address}/echecs")
    page.get_by_role("button", name="Reprendre les 300").click()
    expect(page.get_by_role("status")).to_contain_text("300 redemandés")
    page.goto(f"{console.address}/lettres")
    page.get_by_label("Message 3").check()
    page.get_by_role("button", name="Supprimer le choix").click()
    page.get_by_role("button", name="Supprimer").click()
    expect(page.get_by_role("status")).to_contain_text("1 messages supprimés")
    page.goto(f"{console.address}/imports")
    page.get_by_label("Département à importer").select_option("33")
    page.get_by_role("button", name="Voir le coût").click()
    page.get_by_role("button", name="Importer").click()
    expect(page.get_by_role("status")).to_contain_text("est commandé")
    page.goto(f"{console.address}/imports/2")
    page.get_by_label("Raison, pour qui lira ensuite").fill("La base déménage")
    page.get_by_role("button", name="Mettre en pause").click()
    expect(page.get_by_role("status")).to_contain_text("est en pause")
    page.get_by_role("button", name="Reprendre").click()
    expect(page.get_by_role("status")).to_contain_text("continue")
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connexion")
    page.context.close()


def test_scripts_confirm_as_pages_do(
    browser: Browser, console: RunningConsole, engine: Engine
) -> None:
    page = _log_in(browser, console, engine, "operator")
    page.goto(f"{console.address}/imports")
    page.get_by_role("button", name="Réparer ces écarts").click()
    page.get_by_role("button", name="Réparer", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("est commandée")
    page.goto(f"{console.address}/imports/2")
    page.get_by_label("Raison, pour qui lira ensuite").fill("Une erreur")
    page.get_by_role("button", name="Annuler l’import…").click()
    page.get_by_role("button", name="Annuler l’import", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("est annulé")
    page.context.close()


def test_keys_alone_are_enough(browser: Browser, console: RunningConsole, engine: Engine) -> None:
    page = _log_in(browser, console, engine, "operator")
    page.goto(f"{console.address}/echecs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    retry = page.get_by_role("button", name="Reprendre les 2 700")
    for _ in range(20):
        page.keyboard.press("Tab")
        if retry.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("2700")
    # Whoever uses keys is led to the words about what was done.
    expect(page.get_by_role("status")).to_be_focused()
    page.context.close()


def test_no_script_of_a_stranger_runs(
    browser: Browser, console: RunningConsole, engine: Engine
) -> None:
    page = _log_in(browser, console, engine, "reader")
    dialogs: list[str] = []

    def close(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", close)
    page.goto(f"{console.address}/lettres")
    expect(page.locator("tbody")).to_contain_text("<script>alert(1)</script>")
    page.evaluate("""() => {
      const script = document.createElement('script');
      script.textContent = 'window.evil = 1'; document.body.append(script);
    }""")
    assert page.evaluate("window.evil") is None
    assert dialogs == []
    page.goto(f"{console.address}/echecs")
    expect(page.locator("tbody")).to_contain_text("<b>22001</b>")
    assert page.locator("main button").count() == 0
    page.context.close()
