"""The registry of all PostgreSQL advisory locks of the project.

A key never changes: replicas of an old and a new version exclude each other. An advisory lock of
one database excludes no process in another one. It ends with its transaction: what one process does
for longer has a lease (`shared/db/leases`).
"""

from enum import IntEnum, unique

from sqlalchemy import Connection, text


@unique
class Lock(IntEnum):
    """Locks with one key of 64 bits."""

    # The schema, by the process that migrates it.
    MIGRATION = 0x51_4E_AD_E0
    # The set of units that must not be shown: shared by slices, exclusive for an erasure.
    REGISTER = 0x51_4E_0E_5A
    # The room for running batches, by a planner that fills it: hashtext('activate_batches').
    BATCH_ROOM = -594_859_101
    # The open repairs, by the command that orders one: hashtext('order_repair').
    REPAIRS = 1_715_202_089
    # The open imports, by the command that orders one: hashtext('request_daily_import').
    IMPORTS = -118_807_487
    # The open deltas, by the operator's job that orders one: hashtext('order_delta').
    DELTAS = -1_135_846_284
    # The retries, by the command or job that orders some: the second of two sees the first one's
    # orders. hashtext('retry_failed_items').
    RETRIES = 1_353_470_563
    # The counts of trades, by the one writer that adds up what has changed.
    TRADES = 0x51_4E_7A_DE
    # The orders of people about texts, by the reviewer that carries one out.
    AVIS_ORDERS = 0x51_4E_0D_E5
    # The table of prefixes: shared by whoever deletes words, exclusive for whoever makes it anew.
    SEARCH_PREFIXES = 0x51_4E_9F_E5
    # The sweep over the contexts of accepted texts, by the reviewer that writes its next step.
    CONTEXTS = 0x51_4E_C0_7E


@unique
class LockFamily(IntEnum):
    """Locks with two keys of 32 bits: the family, and the number of the thing in it."""

    # One unit by its siren: held by its erasure, and by a process that keeps its raw record.
    SIREN = 0x51_4E
    # One unit by its siren: held by a slice that begins or ends with it and finds it new.
    SLICE_EDGE = 0x51_4F
    # One activity in one commune: held by a reviewer that keeps a text there.
    PLACE = 0x53_49
    # One unit by its siren: held by an order about a text of it that somebody has looked at.
    TEXT_ORDERS = 0x53_4F


def share_sql(lock: Lock) -> str:
    """Return the statement that holds the lock together with others that only share it."""
    return f"SELECT pg_advisory_xact_lock_shared({lock:d})"


def hold_one_sql(family: LockFamily, number: str) -> str:
    """Return the SQL expression that holds a lock of the family; `number` is SQL of type int."""
    return f"pg_advisory_xact_lock({family:d}, {number})"


def hold(connection: Connection, lock: Lock) -> None:
    """Wait for the lock and hold it until the transaction ends."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({lock:d})"))


def share(connection: Connection, lock: Lock) -> None:
    """Wait until no process holds the lock alone, and share it until the transaction ends."""
    connection.execute(text(share_sql(lock)))


def try_hold(connection: Connection, lock: Lock) -> bool:
    """Hold the lock until the transaction ends, or return False where another one holds it."""
    return bool(connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({lock:d})")))
