"""Erasures beside the backups: each act at once, and the whole list from time to time.

The objects are `erasures/one-<time>` and `erasures/all-<time>`. Their names hold no number of
anybody: a store shows names to more people than contents.
"""

import datetime as dt
import secrets
from collections.abc import Iterable

from shared.archive.seal import BrokenSeal
from shared.archive.vault import Vault

_FOLDER = "erasures"
_TIME = "%Y%m%dT%H%M%S"
# Acts that a whole list holds surely, whatever the clocks of two machines say.
_MARGIN = dt.timedelta(days=1)
# Some ten million lines.
_MOST_BYTES = 1 << 30


def keep(vault: Vault, lines: Iterable[str], *, now: dt.datetime, whole: bool) -> None:
    """Keep lines of an export; a whole list replaces what is older by a day. Raises StorageError.

    For a whole list, `now` is a time before it was read.
    """
    kind = "all" if whole else "one"
    name = f"{_FOLDER}/{kind}-{now:{_TIME}}-{secrets.token_hex(4)}"
    vault.put_secret(name, "".join(f"{line}\n" for line in lines).encode())
    if whole:
        latest = f"{now - _MARGIN:{_TIME}}"
        old = [key for key in _keys(vault) if _time_of(key) < latest]
        vault.storage.delete(old)


def read(vault: Vault) -> list[str] | None:
    """Return the lines of the newest whole list and of all acts, None where nothing is kept."""
    keys = _keys(vault)
    lists = [key for key in keys if key.startswith(f"{_FOLDER}/all-")]
    acts = [key for key in keys if key.startswith(f"{_FOLDER}/one-")]
    kept = [*sorted(lists, key=_time_of)[-1:], *acts]
    return [line for key in kept for line in _lines(vault, key)] if keys else None


def _lines(vault: Vault, key: str) -> list[str]:
    try:
        return vault.read_secret(key, most_bytes=_MOST_BYTES).decode().splitlines()
    except UnicodeDecodeError:
        raise BrokenSeal(f"{key} holds no erasures: it is not UTF-8") from None


def _keys(vault: Vault) -> list[str]:
    return vault.storage.keys(_FOLDER)


def _time_of(key: str) -> str:
    return key.partition("-")[2].partition("-")[0]
