"""The letters of a name, to compare its display form with the registered one."""

import re

from shared.sirene.names.lexicon import fold


def letters(text: str) -> str:
    """Return letters and digits without accents; St counts for Saint, 2eme for 2e."""
    folded = re.sub(r"\bSAINT(E?)\b", r"ST\1", fold(text))
    folded = re.sub(r"(?<=\d)I?EME\b", "E", re.sub(r"(?<=\d)ERE\b", "RE", folded))
    return "".join(re.findall(r"[A-Z0-9]", folded))
