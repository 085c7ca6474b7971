"""A real Chromium for tests and pictures; without one they fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers.chromium_binaries import find_or_fetch_chromium
from tests.servers.npm_packages import find_or_fetch_axe

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 375, "height": 720}
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    found = find_or_fetch_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.program,
            args=["--no-sandbox", "--disable-gpu"],
            env=dict(found.environment),
        )
        yield browser
        browser.close()


def axe_findings(page: Page) -> list[tuple[str, str]]:
    """Return each rule of accessibility that the page violates, with an element that does."""
    script = find_or_fetch_axe().read_text("utf-8")
    options = f"{{runOnly: {_RULES!r}}}"
    # The debugger runs it: the page's own policy forbids every script.
    found: dict[str, Any] = page.evaluate(f"async () => {{ {script}; return axe.run({options}); }}")
    assert len(found["passes"]) > 10
    return [(each["id"], each["nodes"][0]["html"][:120]) for each in found["violations"]]
