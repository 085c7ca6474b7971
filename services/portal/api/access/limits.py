"""The limit of requests without a key, by shortened address. Pure.

Each process counts for itself: the limit is a guard against one client who takes all. Who needs a
promise has a key, whose limit all processes keep together.
"""

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable

BURST_SECONDS = 10.0
"""Requests that were not sent in this time may be sent at once."""
MOST_ADDRESSES = 100_000
_IPV4_BITS, _IPV6_BITS = 24, 48


def shortened(address: str | None) -> str:
    """Return the network of an address, which names no single client; empty for none."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = _IPV4_BITS if found.version == 4 else _IPV6_BITS  # noqa: PLR2004  IPv4
    return str(ipaddress.ip_network((found, bits), strict=False))


class AddressLimits:
    """Thread-safe. It forgets the network that asked longest ago where it knows too many."""

    def __init__(
        self, per_minute: int, clock: Callable[[], float], *, most: int = MOST_ADDRESSES
    ) -> None:
        self._interval = 60.0 / per_minute
        self._clock = clock
        self._most = most
        self._free_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, network: str, cost: float = 1.0) -> float:
        """Take a place, and return 0; or return the seconds until there is one."""
        now = self._clock()
        with self._lock:
            free_at = max(self._free_at.get(network, now), now)
            if (wait := free_at - now - max(BURST_SECONDS - self._interval, 0.0)) > 0:
                return wait
            self._free_at[network] = free_at + cost * self._interval
            self._free_at.move_to_end(network)
            if len(self._free_at) > self._most:
                self._free_at.popitem(last=False)
            return 0.0
