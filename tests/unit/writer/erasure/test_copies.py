"""The manual says how long each copy of people's data lasts."""

from pathlib import Path

from services.writer.erasure.copies import as_markdown

_MANUAL = Path(__file__).parents[4] / "docs" / "operations.md"


def test_the_manual_has_the_table_of_copies_as_it_is_declared() -> None:
    assert as_markdown() in _MANUAL.read_text(encoding="utf-8")
