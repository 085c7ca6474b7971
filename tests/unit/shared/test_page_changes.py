import pytest

from shared.page_changes import START, Cursor


def test_a_cursor_is_read_from_what_it_says() -> None:
    for cursor in (START, Cursor(810, 44), Cursor(2**63 - 1, 2**53)):
        assert Cursor.parse(str(cursor)) == cursor
    assert str(Cursor(810, 44)) == "810.44"


@pytest.mark.parametrize(
    "words",
    ["", "810", "810.", ".44", "-1.2", "1.2.3", "1.2\n", " 1.2", "٣.٤", f"{2**63}.1", "a.b"],
)
def test_anything_else_is_no_cursor(words: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        Cursor.parse(words)
