"""API keys: how they are made, and the limit that all processes keep for each of them.

A key is 256 random bits, so that its plain SHA-256 is enough: nobody can try them all. The row
keeps the hash alone.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from shared.errors import UserError

PREFIX = "sirenade_"
_KEY_BYTES = 32
MOST_PER_MINUTE = 100_000

_ADD = text("""
    INSERT INTO api_keys (key_hash, name, per_minute) VALUES (:key_hash, :name, :per_minute)
    ON CONFLICT (name) DO NOTHING RETURNING name
""")
_REVOKE = text("""
    UPDATE api_keys SET revoked_at = now() WHERE name = :name AND revoked_at IS NULL RETURNING name
""")
_LIST = text("""
    SELECT name, per_minute, created_at, used_on, revoked_at FROM api_keys ORDER BY name
""")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key, which is shown this once."""

    name: str
    key: str
    per_minute: int


def hash_of(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def add(connection: Connection, name: str, per_minute: int) -> NewKey:
    """Make a key under a name of its own. Raises UserError where the name is taken."""
    if not name.strip() or not name.isprintable():
        raise UserError("a key needs a name of printable characters")
    made = NewKey(name, PREFIX + secrets.token_urlsafe(_KEY_BYTES), per_minute)
    row = {"key_hash": hash_of(made.key), "name": name, "per_minute": per_minute}
    if connection.execute(_ADD, row).first() is None:
        raise UserError(f"there is a key named {name!r} already: names are used once")
    return made


def revoke(connection: Connection, name: str) -> None:
    """End a key at once. Raises UserError where no valid key has the name."""
    if connection.execute(_REVOKE, {"name": name}).first() is None:
        raise UserError(f"no valid key is named {name!r}: ./sirenade portal keys list")


def listed(connection: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(_LIST).mappings()]
