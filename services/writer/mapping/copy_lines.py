"""A row as one text: what PostgreSQL's COPY reads, tabs between columns, empty for NULL.

One text is all that is kept of a row to be written: a thousand rows of fifty texts each cost
more in memory and garbage than in work. No text of a row is empty itself.
"""

import re
from typing import Final

BETWEEN: Final = "\t"
ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def texts_of(line: str) -> list[str]:
    """The texts that the line was made of, as they were before they were escaped."""
    texts = line.split(BETWEEN)
    if "\\" in line:
        texts = [
            _ESCAPED.sub(lambda sign: _MEANT[sign[1]], text) if "\\" in text else text
            for text in texts
        ]
    return texts
