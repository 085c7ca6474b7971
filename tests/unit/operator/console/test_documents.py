"""The console's files and its French."""

import hashlib
import re
from importlib import resources

import pytest

from services.operator.console.documents import (
    ConsoleDocuments,
    french_duration,
    french_euros,
    french_number,
)

_FOLDER = resources.files("services.operator.console")


def test_what_others_wrote_is_what_its_list_says() -> None:
    vendor = _FOLDER / "static" / "vendor"
    listed = re.findall(
        r"^\| (\S+) \|.*`([0-9a-f]{64})`", (vendor / "README.md").read_text(), re.MULTILINE
    )
    found = {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in vendor.iterdir()
        if each.name != "README.md"
    }
    assert found == dict(listed)


def test_no_template_trusts_a_value_or_holds_a_script() -> None:
    for each in (_FOLDER / "templates").iterdir():
        text = each.read_text("utf-8")
        assert not re.search(
            r"\|\s*safe|<script(?![^>]*\ssrc=)|\son[a-z]+=|style=\"[^\"{]*:", text
        ), each.name


def test_every_form_that_posts_has_the_token() -> None:
    for each in (_FOLDER / "templates").iterdir():
        text = each.read_text("utf-8")
        forms = len(re.findall(r'<form method="post"', text))
        tokens = len(re.findall(r'name="csrf"', text))
        # Nobody has a session yet at the login.
        assert tokens == (0 if each.name == "login.html.j2" else forms), each.name


def test_files_may_be_kept_for_good() -> None:
    assert all(re.search(r"-[0-9a-f]{12}\.", path) for path in ConsoleDocuments().files)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (12, "moins d’une minute"),
        (600, "10 min"),
        (3_900, "1 h 05"),
        (90_000, "1 j 1 h"),
        (172_800, "2 j"),
    ],
)
def test_time_is_told_in_its_greatest_units(seconds: float | None, words: str) -> None:
    assert french_duration(seconds) == words


def test_numbers_are_french() -> None:
    assert french_number(35_000) == "35\u202f000"
    assert french_euros(1234.5) == "1\u202f234,50\u202f€"
    assert french_number(None) == french_euros(None) == "–"
