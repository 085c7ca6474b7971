"""Rows as CSV, safe for spreadsheets. Pure.

A spreadsheet runs a cell that begins like a formula: names are chosen by strangers, so that such a
cell gets an apostrophe before it, which spreadsheets do not show.
"""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MEDIA_TYPE = "text/csv; charset=utf-8; header=present"


def safe_cell(value: object) -> str:
    """Return what stands in a cell; None is an empty one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    shown = str(value)
    return f"'{shown}" if shown.lstrip(" \u00a0").startswith(_FORMULA_STARTS) else shown


def csv_lines(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as lines that end as RFC 4180 says."""
    lines = io.StringIO()
    csv.writer(lines).writerows([safe_cell(value) for value in row] for row in rows)
    return lines.getvalue().encode("utf-8", "replace")


def trailer(cursor: str | None) -> bytes:
    """Return the last line, by which a reader knows that the file is whole, or how it goes on."""
    return f"#curseur,{cursor}\r\n".encode() if cursor else b"#fin\r\n"
