"""The rows of leases, and their tokens: each is a statement in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import Connection, text

from shared.errors import SirenadeError


@unique
class LeaseName(StrEnum):
    """The pieces of work; a name never changes."""

    # The outbox of due avis, by the one relay that works.
    RELAY = "relay"
    # The staging tables, by the one process that loads stock files.
    STOCK = "stock"
    # The index of a shard in Elasticsearch, by the indexer or command that writes there.
    ELASTICSEARCH = "elasticsearch"
    # The databases of a restore drill, by the one drill that runs.
    DRILL = "drill"


class LeaseLost(SirenadeError):
    """Raised when another process has taken the lease: nothing may be written any more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to the work, as long as the row has the same fencing token."""

    name: LeaseName
    token: int


# Transactions of a holder share the row by FOR KEY SHARE: a renewal does not wait for them, and a
# process that would take the lease finds the row locked.
_TAKE = text("""
    WITH free AS (
      SELECT name FROM leases WHERE name = :name AND held_until < clock_timestamp()
      FOR UPDATE SKIP LOCKED)
    UPDATE leases SET
      -- The time keeps it growing where a restored backup brought an older row.
      token = greatest(token + 1, CAST(extract(epoch FROM clock_timestamp()) * 1e6 AS bigint)),
      held_until = clock_timestamp() + make_interval(secs => :seconds)
    FROM free WHERE leases.name = free.name
    RETURNING token
""")
_DECLARE = text("""
    INSERT INTO leases (name, token, held_until) VALUES (:name, 0, '-infinity')
    ON CONFLICT (name) DO NOTHING
""")
_RENEW = text("""
    UPDATE leases SET held_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE name = :name AND token = :token
""")
_REQUIRE = "SELECT 1 FROM leases WHERE name = %(name)s AND token = %(token)s FOR KEY SHARE"
_PASS_ON = text("""
    INSERT INTO leases (name, token, held_until) VALUES (:name, :token, '-infinity')
    ON CONFLICT (name) DO UPDATE SET token = excluded.token WHERE leases.token <= excluded.token
""")
_FREE = text("""
    SELECT name FROM leases WHERE name = :name AND held_until < clock_timestamp()
    FOR UPDATE SKIP LOCKED
""")
_HELD_UNTIL = text("""
    SELECT held_until FROM leases WHERE name = :name AND held_until > clock_timestamp()
""")
_RELEASE = text("""
    UPDATE leases SET held_until = '-infinity' WHERE name = :name AND token = :token
""")
_RELEASE_ALL = text("UPDATE leases SET held_until = '-infinity'")


def take(connection: Connection, name: LeaseName, *, seconds: float) -> Lease | None:
    """Take the lease for this time; return None where another process holds it."""
    values = {"name": name, "seconds": seconds}
    token = connection.scalar(_TAKE, values)
    if token is None and connection.execute(_DECLARE, values).rowcount:
        token = connection.scalar(_TAKE, values)
    return None if token is None else Lease(name, token)


def renew(connection: Connection, lease: Lease, *, seconds: float) -> None:
    """Hold the lease for this time from now on, also a late one. Raises LeaseLost."""
    values = {"name": lease.name, "token": lease.token, "seconds": seconds}
    if connection.execute(_RENEW, values).rowcount == 0:
        raise _lost(lease)


def require(connection: Connection, lease: Lease) -> None:
    """Keep the lease from others until the transaction ends. Raises LeaseLost.

    Call it in each transaction that writes, before it writes. It may be called where a transaction
    is about to begin: SQLAlchemy has no part in it.
    """
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute(_REQUIRE, {"name": lease.name.value, "token": lease.token})
        if cursor.rowcount == 0:
            raise _lost(lease)


def pass_on(connection: Connection, lease: Lease) -> None:
    """Do as `require` in another database than that of the lease. Raises LeaseLost.

    The highest token that was seen there counts.
    """
    if connection.execute(_PASS_ON, {"name": lease.name, "token": lease.token}).rowcount == 0:
        raise _lost(lease)


def hold_off(connection: Connection, name: LeaseName) -> bool:
    """Let nobody take the lease until the transaction ends; return False where it is held."""
    connection.execute(_DECLARE, {"name": name})
    return connection.execute(_FREE, {"name": name}).first() is not None


def held_until(connection: Connection, name: LeaseName) -> datetime | None:
    """Return the deadline of the holder; None where nobody holds the lease."""
    found: datetime | None = connection.scalar(_HELD_UNTIL, {"name": name})
    return found


def release(connection: Connection, lease: Lease) -> None:
    """Let others take the lease at once, unless one has it already."""
    connection.execute(_RELEASE, {"name": lease.name, "token": lease.token})


def release_all(connection: Connection) -> None:
    """End all leases; use it only where no other process can hold one."""
    connection.execute(_RELEASE_ALL)


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"another process has taken the lease {lease.name}")
