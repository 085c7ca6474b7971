"""The keys without a column and the codes without a label that INSEE sends."""

import re
from collections.abc import Iterable, Sequence
from threading import Lock

import structlog
from sqlalchemy import Connection, text

from shared.sirene.mapping.unknown_codes import Codes

log = structlog.get_logger()

_MOST = 1000
"""Far above what INSEE adds in a year: columns mixed up, or values sent as keys, must not fill
tables and log."""

_CODE = re.compile(r"[\w. -]{1,12}")
_NO_CODE = "(no code)"
"""Stands for a value that is longer than any code: it may be a name."""
_KEY = "key"

# Several replicas may see the same at one time: the row of the first one stays.
_INSERT_KEYS = text("""
    INSERT INTO schema_drift (key, batch_id)
    SELECT key, :batch_id FROM unnest(CAST(:values AS text[])) AS key
    WHERE (SELECT count(*) FROM schema_drift) < :most
    ORDER BY key
    ON CONFLICT DO NOTHING
""")
_INSERT_CODES = text("""
    INSERT INTO unknown_codes (field, code)
    SELECT field, code
    FROM unnest(CAST(:fields AS text[]), CAST(:values AS text[])) AS new (field, code)
    WHERE (SELECT count(*) FROM unknown_codes) < :most
    ORDER BY field, code
    ON CONFLICT DO NOTHING
""")

_Pair = tuple[str, str]


class Drift:
    """Notes what is unknown with the rows that have it, each once in the life of this process."""

    def __init__(self) -> None:
        self._noted: set[_Pair] = set()
        self._lock = Lock()

    def note(
        self,
        connection: Connection,
        *,
        keys: Iterable[str] = (),
        codes: Codes = frozenset(),
        batch_id: int | None = None,
    ) -> None:
        """Note what is new in the transaction that stores it; nearly always there is nothing."""
        new = self._new(keys, codes)
        if named := [value for field, value in new if field == _KEY]:
            connection.execute(_INSERT_KEYS, {"values": named, "batch_id": batch_id, "most": _MOST})
        if coded := [pair for pair in new if pair[0] != _KEY]:
            fields, values = map(list, zip(*coded, strict=True))
            connection.execute(_INSERT_CODES, {"fields": fields, "values": values, "most": _MOST})

    def remember(self, *, keys: Iterable[str] = (), codes: Codes = frozenset()) -> None:
        """Log what was noted, now that it is committed, and note it no more."""
        if not (keys or codes):
            return
        with self._lock:
            new = self._new(keys, codes)
            self._noted.update(new)
        for field, value in new:
            if field == _KEY:
                log.warning("INSEE sends an unknown key", field=value)
            else:
                log.warning("INSEE sends an unknown code", field=field, code=value)

    def _new(self, keys: Iterable[str], codes: Codes) -> Sequence[_Pair]:
        found = {*((_KEY, key) for key in keys), *((f, _shown(code)) for f, code in codes)}
        room = max(0, _MOST - len(self._noted))
        return sorted(found - self._noted)[:room]


def _shown(code: str) -> str:
    return code if _CODE.fullmatch(code) else _NO_CODE
