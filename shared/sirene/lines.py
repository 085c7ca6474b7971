"""A row as one text: what PostgreSQL's COPY reads, tabs between columns, empty for NULL.

One text is all that is kept of a row to be written: a thousand rows of fifty texts each cost
more in memory and garbage than in work.
"""

import re
from collections.abc import Sequence
from typing import Final

ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def line_of(texts: Sequence[str]) -> str:
    """Without its end of line. No text of a row is empty: it is NULL, and empty here."""
    line = "\t".join(texts)
    if "\\" in line or line.count("\t") >= len(texts) or "\n" in line or "\r" in line:
        line = "\t".join([text.translate(ESCAPES) for text in texts])
    return line


def texts_of(line: str) -> list[str]:
    """Read what `line_of` wrote."""
    texts = line.split("\t")
    if "\\" in line:
        texts = [
            _ESCAPED.sub(lambda sign: _MEANT[sign[1]], text) if "\\" in text else text
            for text in texts
        ]
    return texts
