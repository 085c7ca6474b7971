"""The manual names only what exists."""

import re
from pathlib import Path

import pytest

from services.dispatch import COMMANDS

_ROOT = Path(__file__).parents[2]
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_command_named_in_the_documentation_exists(page: Path) -> None:
    named = set(re.findall(r"\./sirenade ([a-z][a-z-]*)", page.read_text(encoding="utf-8")))
    assert named <= COMMANDS.keys()


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_setting_named_in_the_manual_exists() -> None:
    manual = (_ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = {
        name.removeprefix("SIRENADE_").lower() for name in re.findall(r"SIRENADE_[A-Z_]+", manual)
    }
    sources = [*_ROOT.glob("services/**/settings.py"), *_ROOT.glob("shared/**/settings.py")]
    known = set(
        re.findall(r"^    ([a-z_]+): ", "\n".join(map(Path.read_text, sources)), re.MULTILINE)
    )
    # These are of the tests.
    named = {name for name in named if not name.startswith("test_")}
    # A secret may be in a file, which the setting's name with this suffix names.
    assert {name for name in named if {name, name.removesuffix("_file")}.isdisjoint(known)} == set()
