import pytest

from shared.db.copy_rows import copy_line


@pytest.mark.parametrize(
    ("value", "field"),
    [(None, "\\N"), ("\\N", "\\\\N"), ("a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e"), ("", "")],
)
def test_a_field_is_what_copy_reads_back(value: str | None, field: str) -> None:
    assert copy_line([value]) == field


def test_fields_are_parted_by_tabs() -> None:
    assert copy_line(["a", None, "1"]) == "a\t\\N\t1"
