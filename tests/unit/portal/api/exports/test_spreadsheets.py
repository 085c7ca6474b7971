"""A cell is text: no spreadsheet runs it, and a reader of CSV gets it back."""

import csv
import io

import pytest

from services.portal.api.exports.spreadsheets import csv_lines, safe_cell, trailer


@pytest.mark.parametrize(
    "name",
    ['=HYPERLINK("http://x")', "+33", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\n=1"],
)
def test_a_formula_gets_an_apostrophe(name: str) -> None:
    assert safe_cell(name) == f"'{name}"


@pytest.mark.parametrize("name", ["DUPONT", "A=B", "L'ÉTÉ", "1-2", "#1", ""])
def test_any_other_name_stays_as_it_is(name: str) -> None:
    assert safe_cell(name) == name


def test_nothing_is_an_empty_cell_and_truth_a_word() -> None:
    assert [safe_cell(value) for value in (None, True, False, 3)] == ["", "true", "false", "3"]


def test_lines_are_read_back_whatever_stands_in_a_name() -> None:
    rows = [["1", 'A "B", C;\nD'], ["2", "\ud800 é"]]
    lines = csv_lines(rows).decode()
    assert list(csv.reader(io.StringIO(lines, newline=""))) == [rows[0], ["2", "? é"]]


def test_the_last_line_says_whether_there_is_more() -> None:
    assert trailer(None) == b"#fin\r\n"
    assert trailer("abc") == b"#curseur,abc\r\n"
