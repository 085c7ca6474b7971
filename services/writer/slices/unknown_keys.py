"""Keys of INSEE's records that no column holds: a sign that INSEE has changed its records."""

from collections.abc import Iterable
from threading import Lock

import structlog
from sqlalchemy import Engine, text

log = structlog.get_logger()

_MOST_KEYS = 1000
"""Far above the number that INSEE ever added: values sent as keys must not fill table and log."""

# Several replicas may see a key at one time: the row of the first one stays.
_INSERT = text("""
    INSERT INTO schema_drift (key, batch_id)
    SELECT key, :batch_id FROM unnest(CAST(:keys AS text[])) AS key
    ORDER BY key
    ON CONFLICT (key) DO NOTHING
""")


class Drift:
    """Notes each unknown key once in the life of this process, by its name alone."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: set[str] = set()
        self._lock = Lock()

    def note(self, keys: Iterable[str], *, batch_id: int) -> None:
        with self._lock:
            room = max(0, _MOST_KEYS - len(self._noted))
            new = sorted(set(keys) - self._noted)[:room]
            if not new:
                return
            with self._engine.begin() as connection:
                connection.execute(_INSERT, {"keys": new, "batch_id": batch_id})
            self._noted.update(new)
        for name in new:
            log.warning("INSEE sends an unknown key", field=name, batch=batch_id)
