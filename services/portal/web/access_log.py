"""The log of accesses: a file a day, deleted after its days; no query, no path, no whole address.

The path of a page holds a name, so that a line has the route's name alone.
"""

import datetime as dt
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson
import structlog

from shared.clock import utc_now

log = structlog.get_logger()

_V4_BITS, _V6_BITS = 24, 48


class Access(NamedTuple):
    route: str
    method: str
    status: int
    milliseconds: float
    body_bytes: int
    client: str | None


def shortened(address: str | None) -> str | None:
    """Return the network of an address: 24 bits of IPv4, 48 of IPv6."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        if mapped is None:
            return str(ipaddress.ip_network((found, _V6_BITS), strict=False).network_address)
        found = mapped
    return str(ipaddress.ip_network((found, _V4_BITS), strict=False).network_address)


class AccessLog:
    """Appends lines, each in one write, so that several processes share a file."""

    def __init__(
        self,
        directory: Path,
        *,
        days: int,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._directory = directory
        self._days = days
        self._now = now
        self._day: dt.date | None = None
        self._is_broken = False

    def add(self, access: Access) -> None:
        now = self._now()
        if now.date() != self._day:
            self._begin(now.date())
        line = {
            "timestamp": now.isoformat(timespec="seconds"),
            **access._asdict(),
            "client": shortened(access.client),
        }
        try:
            with self._path(now.date()).open("ab", buffering=0) as file:
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        except OSError as error:
            # A full disk is no reason to answer nobody.
            if not self._is_broken:
                log.warning("accesses are not written", error=error.strerror)
            self._is_broken = True
        else:
            self._is_broken = False

    def _begin(self, day: dt.date) -> None:
        self._day = day
        oldest = self._path(day - dt.timedelta(days=self._days))
        for path in self._directory.glob("access-????-??-??.jsonl"):
            if path.name <= oldest.name:
                path.unlink(missing_ok=True)

    def _path(self, day: dt.date) -> Path:
        return self._directory / f"access-{day.isoformat()}.jsonl"
