"""A row as one line of PostgreSQL's COPY: tabs between columns, an empty text for NULL. Pure.

A row to write is kept as this line alone: a thousand rows of fifty texts each would cost more in
memory and garbage collection than in work. No value of a row is an empty text.
"""

import re
from typing import Final

BETWEEN: Final = "\t"
ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def texts_of(line: str) -> list[str]:
    """Return the texts of the line, without their escapes."""
    texts = line.split(BETWEEN)
    if "\\" in line:
        texts = [
            _ESCAPED.sub(lambda sign: _MEANT[sign[1]], text) if "\\" in text else text
            for text in texts
        ]
    return texts
