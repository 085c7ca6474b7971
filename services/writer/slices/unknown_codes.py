"""Codes that no table of this release knows: noted for an alert, until a release knows them."""

import re
from threading import Lock

import structlog
from sqlalchemy import Engine, text

from shared.sirene.mapping.unknown_codes import Codes

log = structlog.get_logger()

_MOST_CODES = 1000
"""Far above the codes that INSEE adds in a year: columns mixed up must not fill table and log."""

_CODE = re.compile(r"[\w. -]{1,12}")
_NO_CODE = "(no code)"
"""Stands for a value that is longer than any code: it may be a name."""

_INSERT = text("""
    INSERT INTO unknown_codes (field, code)
    SELECT field, code
    FROM unnest(CAST(:fields AS text[]), CAST(:codes AS text[])) AS new (field, code)
    WHERE (SELECT count(*) FROM unknown_codes) < :most
    ORDER BY field, code
    ON CONFLICT DO NOTHING
    RETURNING field, code
""")


def note_codes(engine: Engine, codes: Codes) -> None:
    """Note the codes, and log those that are new."""
    if not codes:
        return
    shown = sorted({(field, _shown(code)) for field, code in codes})[:_MOST_CODES]
    fields, values = zip(*shown, strict=True)
    sent = {"fields": list(fields), "codes": list(values), "most": _MOST_CODES}
    with engine.begin() as connection:
        new = connection.execute(_INSERT, sent).all()
    for row in new:
        log.warning("INSEE sends an unknown code", field=row.field, code=row.code)


class CodeDrift:
    """Notes each unknown code once in the life of this process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: set[tuple[str, str]] = set()
        self._lock = Lock()

    def note(self, codes: Codes) -> None:
        if codes <= self._noted:
            return
        with self._lock:
            note_codes(self._engine, codes - self._noted)
            if len(self._noted) < _MOST_CODES:
                self._noted |= codes


def _shown(code: str) -> str:
    return code if _CODE.fullmatch(code) else _NO_CODE
