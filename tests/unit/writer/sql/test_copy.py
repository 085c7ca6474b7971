import datetime as dt

import pytest

from services.writer.sql.copy import copy_line


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "\\N"),
        ("\\N", "\\\\N"),
        ("a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e"),
        ("", ""),
        (True, "t"),
        (False, "f"),
        (7, "7"),
        (0.1, "0.1"),
        (b"\x00\xff", "\\\\x00ff"),
        (dt.date(1, 2, 3), "0001-02-03"),
        (dt.datetime(2026, 8, 5, 12, tzinfo=dt.UTC), "2026-08-05T12:00:00+00:00"),
    ],
)
def test_a_field_is_what_copy_reads_back(value: object, field: str) -> None:
    assert copy_line([value]) == field


def test_fields_are_parted_by_tabs() -> None:
    assert copy_line(["a", None, 1]) == "a\t\\N\t1"
