"""Keys that INSEE added to its records and that no column holds: a sign to read its news."""

from collections.abc import Iterable
from threading import Lock

import structlog
from sqlalchemy import Engine, text

log = structlog.get_logger()

_MOST_KEYS = 1000
"""Far above what INSEE ever added; whoever made keys of values must not fill table and log."""

# Of several replicas that see a key at once, one row and one batch stand.
_NOTE = text("""
    INSERT INTO schema_drift (key, batch_id)
    SELECT key, :batch_id FROM unnest(CAST(:keys AS text[])) AS key
    ORDER BY key
    ON CONFLICT (key) DO NOTHING
""")


class Drift:
    """Tells each unknown key once in the life of this process, by its name alone."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told: set[str] = set()
        self._lock = Lock()

    def tell(self, keys: Iterable[str], *, batch_id: int) -> None:
        with self._lock:
            room = max(0, _MOST_KEYS - len(self._told))
            new = sorted(set(keys) - self._told)[:room]
            if not new:
                return
            with self._engine.begin() as connection:
                connection.execute(_NOTE, {"keys": new, "batch_id": batch_id})
            self._told.update(new)
        for name in new:
            log.warning("INSEE sends what no column holds", field=name, batch=batch_id)
