"""The seal of an object in the store: a MAC whose key is not there, over its name and content.

The first line of a sealed object is the MAC, or `-` where no key was set when it was made.
"""

import hashlib
import hmac

from shared.errors import UserError

_NONE = b"-"


class BrokenSeal(UserError):
    """Raised when an object is not what this key has sealed under this name."""


def seal(key: str, name: str, content: bytes) -> bytes:
    return (_mac(key, name, content) if key else _NONE) + b"\n" + content


def unseal(key: str, name: str, sealed: bytes) -> bytes:
    """Return the content. Without a key nothing is checked. Raises BrokenSeal."""
    mac, _, content = sealed.partition(b"\n")
    if not key:
        return content
    if mac == _NONE:
        raise BrokenSeal(
            f"{name} has no seal: the store has changed it, or no key was set when it was made "
            "(to take it all the same, unset SIRENADE_BACKUP_KEY)"
        )
    if not hmac.compare_digest(mac, _mac(key, name, content)):
        raise BrokenSeal(
            f"the seal of {name} is wrong: the store has changed it, or SIRENADE_BACKUP_KEY is "
            "another one than when it was made"
        )
    return content


def _mac(key: str, name: str, content: bytes) -> bytes:
    named = len(name).to_bytes(4, "big") + name.encode() + content
    return hmac.new(key.encode(), named, hashlib.sha256).hexdigest().encode()
