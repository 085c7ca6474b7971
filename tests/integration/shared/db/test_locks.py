"""Replicas of an old version, which hashed a name, and of this one exclude each other."""

import pytest
from sqlalchemy import Engine, text

from shared.db.locks import Lock


@pytest.mark.parametrize(
    ("lock", "name"),
    [
        (Lock.BATCH_ROOM, "activate_batches"),
        (Lock.REPAIRS, "order_repair"),
        (Lock.IMPORTS, "request_daily_import"),
        (Lock.DELTAS, "order_delta"),
        (Lock.RETRIES, "retry_failed_items"),
    ],
)
def test_a_lock_keeps_the_key_that_was_the_hash_of_its_name(
    engine: Engine, lock: Lock, name: str
) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT hashtext(:name)"), {"name": name}) == lock
